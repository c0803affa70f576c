//! The rules of the ledger, one file a rule: given what happened, when a command comes, then this is decided.

pub mod catalog;
pub mod scenario;
pub mod words;

mod accounts;
mod allocation;
mod charges;
mod debt;
mod expiry;
mod framework;
mod generations;
mod grace;
mod holds;
mod limits;
mod payments;
mod plans;
mod refunds;
mod reversals;
mod rollover;
mod spending;
mod subscriptions;
