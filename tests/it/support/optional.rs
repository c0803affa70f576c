//! What of a test's needs is not on every machine? Programs that a user would not install for the sake of tests.

use std::process::{Command, Output};

/// Set where everything has to be there, as it is before a merge.
const REQUIRE_ALL: &str = "TESTS_REQUIRE_ALL";

/// Says that a test is left out, and why; fails where nothing may be.
pub fn leave_out(what_is_missing: &str) {
    assert!(std::env::var_os(REQUIRE_ALL).is_none(), "{REQUIRE_ALL} is set, and {what_is_missing}");
    eprintln!("LEFT OUT: {what_is_missing}");
}

/// Whether the program is there, and works.
pub fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Runs a program to its end, and fails with what it says unless it works.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} did not work:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
