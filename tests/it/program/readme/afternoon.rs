//! Does the script that asks a Stripe test account keep away from real money?

use std::process::Command;

use crate::support::{Scratch, pages::root, program};

#[test]
fn the_script_refuses_a_live_key_and_does_nothing() {
    let scratch = Scratch::create();
    let folder = scratch.path().join("recorded");
    for key in ["sk_live_1", "rk_live_1", "pk_test_1"] {
        let mut command = Command::new("bash");
        command.arg(root().join("docs/afternoon.sh")).arg(&folder).env("STRIPE_SECRET_KEY", key);
        // Whatever it asked would not be answered.
        let output = program::run(command.env("STRIPE_API_URL", "http://127.0.0.1:9"));
        assert_eq!(program::code(&output), 1, "{key}");
        assert!(program::stderr(&output).contains("This is no test key."), "{key}");
        assert!(!folder.exists(), "{key}");
    }
}
