//! What is an account, or the business, now? For whoever shows it: over HTTP, on pages, in a terminal.

mod account;

pub use account::{AccountNow, QueryError, account_now};
