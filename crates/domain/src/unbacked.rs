//! Which invoices were paid with money that never came?
//!
//! Stripe gives back what was charged even if it was not paid, or if the payment was refunded.
//! An invoice that gives back a part of such a charge has a lower total, and may put the rest on the customer's
//! balance, which pays other invoices.
//! No money is behind such payments.

pub(super) mod search;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::ProviderId;

/// What was paid, or is given back, without money behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbacked {
    /// By paid invoice: which part of it no money came for.
    parts: BTreeMap<ProviderId, UnpaidPart>,
    /// By invoice of which something is given back: how much money is missing, for any reason.
    lacks: BTreeMap<ProviderId, Lack>,
}

/// The part of an invoice that no money came for, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpaidPart {
    /// What it gives back of invoices without money behind them.
    pub set_off: i64,
    /// How much the customer's balance paid without money behind it.
    pub from_balance: i64,
    /// The invoice's total without that set-off.
    pub whole: i64,
}

impl UnpaidPart {
    /// How much money is missing, at most the whole.
    #[must_use]
    pub fn lacking(self) -> i64 {
        self.set_off.saturating_add(self.from_balance).min(self.whole).max(0)
    }
}

/// How much money for an invoice never came or was returned, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    amount: i64,
    whole: i64,
}

impl Lack {
    /// No money came at all.
    const ALL: Self = Self { amount: 1, whole: 1 };

    #[must_use]
    pub const fn is_all(self) -> bool {
        self.whole > 0 && self.whole <= self.amount
    }

    /// The same share of `amount`, rounded up.
    #[must_use]
    pub fn share_of(self, amount: i64) -> i64 {
        let whole = i128::from(self.whole.max(1));
        let product = i128::from(amount).saturating_mul(i128::from(self.amount).clamp(0, whole));
        let rounded = product.saturating_add(whole.saturating_sub(1)).checked_div(whole).unwrap_or(0);
        i64::try_from(rounded).unwrap_or(amount)
    }
}

impl Unbacked {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How much money is missing for an invoice of which something is given back. `None`: nothing is.
    #[must_use]
    pub fn lack(&self, invoice: &ProviderId) -> Option<Lack> {
        self.lacks.get(invoice).copied()
    }

    /// The part of a paid invoice that no money came for.
    #[must_use]
    pub fn part(&self, invoice: &ProviderId) -> UnpaidPart {
        self.parts.get(invoice).copied().unwrap_or_default()
    }

    /// The paid invoices for which money is missing.
    pub fn invoices(&self) -> impl Iterator<Item = &ProviderId> {
        self.parts.keys()
    }
}
