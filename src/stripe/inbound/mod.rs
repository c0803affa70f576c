//! What does Stripe say, and to which account? A delivery is verified and stored ([`inbox`]), answered, and then
//! translated into commands that the [`processor`] sends to the ledger; [`accounts`] finds whose each event is. Only
//! the first of these steps can fail to the sender.
//!
//! What was not told, or only in part, is read at Stripe: the rest of an invoice's lines, what discounts take off, and
//! all that [`reconcile`] compares.

pub mod account_import;
pub mod accounts;
pub mod alerts;
mod discounts;
mod disposition;
pub mod duplicate_subscriptions;
pub mod inbox;
mod invoice_lines;
pub mod processor;
pub mod reconcile;
pub mod send;
pub mod signature;
