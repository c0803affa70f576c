//! What does Stripe report, and about which account?
//! A delivery is verified and stored ([`inbox`]), answered, and then translated into commands that the [`processor`]
//! sends to the ledger; [`accounts`] finds the account of each event.
//! Only the first of these steps can fail visibly to Stripe.
//!
//! What is not reported, or only in part, is read from Stripe: the rest of an invoice's lines, the terms of discounts,
//! and all that [`reconcile`] compares.

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
