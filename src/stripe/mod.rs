//! What does Stripe say happened, and what does that mean for an account?
//!
//! A delivery is verified and stored ([`inbox`]), answered, and then translated into commands ([`translate`])
//! that the [`processor`] sends to the ledger. Only the first of these steps can fail to the sender.
//!
//! The other way, [`billing`] opens pages at Stripe, through the [`client`] and the journal of its [`calls`].
//!
//! What was not told, or only in part, is read there: the [`invoice_lines`] of an invoice's lines, what [`discounts`]
//! take off, and all that [`reconcile`] compares.
//!
//! Deliberately absent: calls to Stripe while a delivery is being answered.

pub mod account_import;
mod account_lookup;
pub mod alerts;
pub mod billing;
pub mod calls;
pub mod client;
mod customer_linking;
pub mod declines;
mod discounts;
mod disposition;
pub mod doctor;
pub mod document;
pub mod duplicate_subscriptions;
pub mod envelope;
pub mod inbox;
mod invoice_lines;
pub mod processor;
pub mod reconcile;
pub mod send;
pub mod setup;
pub mod signature;
pub mod translate;

use std::collections::BTreeSet;

/// Which of Stripe's two worlds this deployment belongs to. Nothing may cross over from the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripeMode {
    Test,
    Live,
}

impl StripeMode {
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Test => false,
            Self::Live => true,
        }
    }
}

/// Whose events are accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub mode: StripeMode,
    /// The connected accounts (`acct_…`) whose events count as our own; usually none.
    pub connect_accounts: BTreeSet<String>,
}

impl Deployment {
    /// A deployment without connected accounts.
    #[must_use]
    pub const fn new(mode: StripeMode) -> Self {
        Self { mode, connect_accounts: BTreeSet::new() }
    }
}
