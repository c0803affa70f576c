//! Which invoices were paid with money that never came?
//!
//! Stripe gives back what was charged, also where nobody has paid it: an invoice that gives back a part of an unpaid one comes to
//! less, and may put the rest on the customer's balance, which pays for other invoices. What was paid so was not paid for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{facts::Facts, months::KnownInvoice, names::ProviderId};

/// What is behind no money: invoices that nobody has paid and that something was given back of, and parts of paid ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbacked {
    unpaid: BTreeSet<ProviderId>,
    parts: BTreeMap<ProviderId, Part>,
}

/// The part of an invoice that no money came for, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What was set off against it.
    pub set_off: i64,
    /// What the customer's balance paid of it.
    pub from_balance: i64,
    /// What it would have come to.
    pub whole: i64,
}

impl Part {
    /// All that it lacks, at most the whole.
    #[must_use]
    pub fn lacking(self) -> i64 {
        self.set_off.saturating_add(self.from_balance).min(self.whole).max(0)
    }

    /// The part of an amount of it that no money came for, rounded up.
    fn of(self, amount: i64) -> i64 {
        let product = i128::from(amount).saturating_mul(i128::from(self.lacking()));
        let whole = i128::from(self.whole.max(1));
        let rounded = product.saturating_add(whole.saturating_sub(1)).checked_div(whole).unwrap_or(0);
        i64::try_from(rounded).unwrap_or(amount)
    }
}

impl Unbacked {
    /// Of all subscriptions of an account: they share the customer's balance.
    pub(super) fn of<'f>(facts: impl Iterator<Item = &'f Facts>) -> Self {
        let facts: Vec<&Facts> = facts.collect();
        let unpaid: BTreeSet<ProviderId> =
            facts.iter().flat_map(|facts| facts.given_back_unpaid().cloned()).collect();
        if unpaid.is_empty() {
            return Self::default();
        }
        let mut invoices: Vec<&KnownInvoice> = facts.iter().flat_map(|facts| facts.invoices()).collect();
        // What is put on the balance is there before it is used.
        invoices.sort_by_key(|known| (known.paid_at, known.invoice.total, &known.invoice.invoice));
        let mut unbacked = Self { unpaid, parts: BTreeMap::new() };
        let mut balance = 0_i64;
        for known in invoices {
            unbacked.add(known, &mut balance);
        }
        unbacked
    }

    fn add(&mut self, KnownInvoice { invoice, .. }: &KnownInvoice, balance: &mut i64) {
        let set_off = invoice.gives_back.iter().map(|(of, amount)| self.unbacked_of(of, *amount));
        let set_off = set_off.fold(0_i64, i64::saturating_add);
        let from_balance = invoice.from_balance.min(*balance);
        let put_on_balance = invoice.total.saturating_neg().clamp(0, set_off);
        *balance = balance.saturating_sub(from_balance).saturating_add(put_on_balance);
        if set_off > 0 || from_balance > 0 {
            let whole = invoice.total.saturating_add(set_off);
            self.parts.insert(invoice.invoice.clone(), Part { set_off, from_balance, whole });
        }
    }

    /// The part of what is given back of an invoice that no money came for.
    fn unbacked_of(&self, invoice: &ProviderId, amount: i64) -> i64 {
        if self.unpaid.contains(invoice) {
            return amount;
        }
        self.parts.get(invoice).map_or(0, |part| part.of(amount))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unpaid.is_empty()
    }

    /// Whether no money came for an invoice at all.
    #[must_use]
    pub fn is_all(&self, invoice: &ProviderId) -> bool {
        let lacks_all = |part: &Part| part.whole > 0 && part.lacking() == part.whole;
        self.unpaid.contains(invoice) || self.parts.get(invoice).is_some_and(lacks_all)
    }

    /// The part of a paid invoice that no money came for.
    #[must_use]
    pub fn part(&self, invoice: &ProviderId) -> Part {
        self.parts.get(invoice).copied().unwrap_or_default()
    }

    /// The paid invoices that no money came for, in part at least.
    pub fn invoices(&self) -> impl Iterator<Item = &ProviderId> {
        self.parts.keys()
    }
}
