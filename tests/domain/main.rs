//! Do the rules of the ledger hold? They are tested without a server, a database or a clock.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that meets what it did not expect has failed, and may say so by panicking"
)]

mod builders;
mod invariants;
mod rules;
