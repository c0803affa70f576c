//! The rules of the ledger, one file a rule: given what happened, when a command comes, then this is decided.

pub mod catalog;
pub mod scenario;
pub mod words;

mod accounts;
mod allocation;
mod amendments;
mod charges;
mod debt;
mod discounts;
mod expiry;
mod framework;
mod generations;
mod grace;
mod holds;
mod leaving;
mod limits;
mod metadata;
mod months;
mod moving;
mod packs;
mod payments;
mod plans;
mod refunds;
mod reports;
mod reversals;
mod rollout;
mod rollover;
mod sales;
mod spending;
mod subscriptions;
mod top_ups;
