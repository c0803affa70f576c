//! What of a test's needs is not on every machine? Programs that a user would not install for the sake of tests.

/// Set where everything has to be there, as it is before a merge.
const REQUIRE_ALL: &str = "TESTS_REQUIRE_ALL";

/// Says that a test is left out, and why; fails where nothing may be.
pub fn leave_out(what_is_missing: &str) {
    assert!(std::env::var_os(REQUIRE_ALL).is_none(), "{REQUIRE_ALL} is set, and {what_is_missing}");
    eprintln!("LEFT OUT: {what_is_missing}");
}
