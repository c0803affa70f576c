//! Do relatives of the inputs that once went wrong end right, in a ledger in memory?
//!
//! The inputs themselves are told to the whole program, in `server/cases/`.

mod commands;
mod siblings;
