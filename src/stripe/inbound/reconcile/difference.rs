//! What does Stripe say that the ledger does not, and how is that described?

use super::report::StoredFigures;
use crate::domain::{
    amount::Money, ids::ProviderId, invoice::InvoiceState, payments::DisputeState,
    subscription::SubscriptionStatus,
};

pub(super) const NOTHING: &str = "nothing";

/// What Stripe says, and what the ledger says instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectDifference {
    pub(super) stripe: Vec<String>,
    pub(super) ledger: Vec<String>,
    /// The report that holds in the ledger, and should not.
    pub(super) replaces: Option<ProviderId>,
    /// Whether an event can correct any of it.
    pub(super) is_mendable: bool,
    /// Why no event can correct some of it.
    pub(super) kept: Option<StoredFigures>,
}

impl ObjectDifference {
    pub(super) fn unknown(stripe: String) -> Self {
        let mut difference = Self::default();
        difference.note(stripe, NOTHING);
        difference
    }

    /// Adds a difference that an event can correct.
    pub(super) fn note(&mut self, stripe: impl Into<String>, ledger: impl Into<String>) {
        self.is_mendable = true;
        self.stripe.push(stripe.into());
        self.ledger.push(ledger.into());
    }

    /// Adds a difference that no event can correct, because the ledger keeps what it has.
    pub(super) fn note_kept(
        &mut self,
        stripe: impl Into<String>,
        ledger: impl Into<String>,
        kept: StoredFigures,
    ) {
        self.kept = Some(kept);
        self.stripe.push(stripe.into());
        self.ledger.push(ledger.into());
    }

    pub(super) fn found(self) -> Option<Self> {
        (!self.stripe.is_empty()).then_some(self)
    }
}

/// In minor units: people know how many make a major unit.
pub(super) fn shown(money: &Money) -> String {
    format!("{} {}", money.minor, money.currency)
}

pub(super) fn went_back(money: &Money, failed: bool) -> String {
    format!("{} {}", shown(money), if failed { "did not go back after all" } else { "went back" })
}

/// What a credit note returned, apart from refunds.
pub(super) fn note(money: &Money, voided: bool) -> String {
    format!("{} credited{}", shown(money), if voided { ", void" } else { "" })
}

pub(super) const fn state(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Open => "open",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
    }
}

pub(super) const fn status(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Incomplete => "incomplete",
        SubscriptionStatus::Trialing => "trialing",
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::PastDue => "past_due",
        SubscriptionStatus::Unpaid => "unpaid",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Cancelled => "cancelled",
    }
}

pub(super) fn paid(money: &Money) -> String {
    format!("paid {}", shown(money))
}

pub(super) const fn unpaid(state: InvoiceState) -> &'static str {
    match state {
        InvoiceState::Open => "open",
        InvoiceState::Failed => "its payment failed",
        InvoiceState::Uncollectible => "uncollectible",
        InvoiceState::Void => "void",
    }
}
