//! Is a repeated request recognised? By the text of its command, which no release may change.

use domain::command::{AccountCommand, Command};
use serde_json::json;

use crate::builders::words::{deduct, extend};

/// A key that was used before an upgrade of the program is still found after it.
#[test]
fn a_command_is_written_without_its_family() {
    let written = |command: &Command| serde_json::to_value(command).expect("a command can be written");
    assert_eq!(written(&Command::Account(AccountCommand::OpenAccount)), json!("open_account"));
    assert_eq!(written(&Command::Account(AccountCommand::ApplyDue)), json!("Settle"));
    assert_eq!(
        written(&deduct(5)),
        json!({ "deduct_credits": { "amount": 5, "id": null, "description": null } })
    );
    assert_eq!(written(&extend("h", 60)), json!({ "extend_hold": { "hold_id": "h", "expires_in_s": 60 } }));
}
