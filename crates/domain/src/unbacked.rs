//! Which invoices were paid with money that never came?
//!
//! Stripe gives back what was charged, even if nobody has paid it, or if its money was refunded: an invoice that gives
//! back a part of such an invoice comes to less, and may put the rest on the customer's balance, which pays other
//! invoices. No money is behind such payments.

pub(super) mod search;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::ProviderId;

/// What no money is behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbacked {
    /// By the paid invoice: what of it no money came for.
    parts: BTreeMap<ProviderId, UnpaidPart>,
    /// By the invoice that something was given back of: what it lacks, for either reason.
    lacks: BTreeMap<ProviderId, Lack>,
}

/// The part of an invoice that no money came for, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpaidPart {
    /// What was set off against it.
    pub set_off: i64,
    /// What the customer's balance paid of it.
    pub from_balance: i64,
    /// What it would have come to.
    pub whole: i64,
}

impl UnpaidPart {
    /// All that it lacks, at most the whole.
    #[must_use]
    pub fn lacking(self) -> i64 {
        self.set_off.saturating_add(self.from_balance).min(self.whole).max(0)
    }
}

/// How much of an invoice there is no money for, or none any more, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    amount: i64,
    whole: i64,
}

impl Lack {
    /// Nobody paid anything.
    const ALL: Self = Self { amount: 1, whole: 1 };

    #[must_use]
    pub const fn is_all(self) -> bool {
        self.whole > 0 && self.whole <= self.amount
    }

    /// The same share of an amount, rounded up.
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

    /// What an invoice lacks that something was given back of. `None`: nothing.
    #[must_use]
    pub fn lack(&self, invoice: &ProviderId) -> Option<Lack> {
        self.lacks.get(invoice).copied()
    }

    /// The part of a paid invoice that no money came for.
    #[must_use]
    pub fn part(&self, invoice: &ProviderId) -> UnpaidPart {
        self.parts.get(invoice).copied().unwrap_or_default()
    }

    /// The paid invoices that no money came for, in part at least.
    pub fn invoices(&self) -> impl Iterator<Item = &ProviderId> {
        self.parts.keys()
    }
}
