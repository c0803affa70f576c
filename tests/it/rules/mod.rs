//! The rules of the ledger, one file a rule: given what happened, when a command comes, then this is decided.

pub mod catalog;
pub mod scenario;
pub mod words;

mod accounts;
mod allocation;
mod debt;
mod expiry;
mod framework;
mod generations;
mod holds;
mod limits;
mod payments;
mod plans;
mod refunds;
mod rollover;
mod spending;
mod subscriptions;
