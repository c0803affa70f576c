//! What was paid, and how much of each payment has gone back?
//!
//! Stripe says so in pieces that come in any order: totals of a payment, single refunds, refunds that failed,
//! disputes, and which invoice a payment was for. All pieces are kept, and the answer is worked out from the
//! whole of them, so that it is the same in any order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{names::ProviderId, time::Timestamp};

/// What is known of payments. That one was taken back may be known before the grant that it bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// The payments that are known to have succeeded, with what was paid, in minor units. A second report of one
    /// says nothing new.
    succeeded: BTreeMap<ProviderId, i64>,
    /// What was reported of refunds, by the payment that was refunded.
    refunds: BTreeMap<ProviderId, Refunds>,
    disputes: BTreeMap<ProviderId, Dispute>,
    /// The invoice that a payment was for. Credits are bought by the invoice, money goes back by the payment.
    invoices: BTreeMap<ProviderId, ProviderId>,
}

/// What was reported of the refunds of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Refunds {
    /// What was paid, as a total says, in minor units.
    paid: Option<i64>,
    /// When what had been refunded in all.
    totals: BTreeSet<(Timestamp, i64)>,
    single: BTreeMap<ProviderId, Single>,
}

/// One refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Single {
    amount: i64,
    refunded_at: Timestamp,
    /// When it became known that the money did not arrive.
    failed_at: Option<Timestamp>,
}

/// A dispute, as the last thing that was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub payment: ProviderId,
    pub state: DisputeState,
    /// What is disputed, in minor units; `None` when that was not said.
    amount: Option<i64>,
    closed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeState {
    Open,
    Won,
    Lost,
}

/// How much of a payment has gone back, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub returned: i64,
    /// What was paid; `None` when that is not known, and then nothing can be said of shares.
    pub paid: Option<i64>,
    /// A dispute of nobody knows how much was lost.
    pub whole: bool,
}

impl Refunds {
    /// What has gone back and stayed there. A total counts what failed after it; single refunds may be known
    /// only in part, and so may totals: the greater one holds.
    fn net(&self) -> i64 {
        let single = self.single.values().filter(|single| single.failed_at.is_none());
        let single = single.fold(0_i64, |sum, single| sum.saturating_add(single.amount));
        let totals = self.totals.iter().map(|(at, total)| total.saturating_sub(self.failed_since(*at)));
        totals.fold(single, i64::max)
    }

    /// What a total of `at` still counts, and what has failed since.
    fn failed_since(&self, at: Timestamp) -> i64 {
        let counted = self.single.values().filter(|single| {
            single.refunded_at <= at && single.failed_at.is_some_and(|failed_at| failed_at >= at)
        });
        counted.fold(0, |sum, single| sum.saturating_add(single.amount))
    }
}

impl Payments {
    #[must_use]
    pub fn has_succeeded(&self, payment: &ProviderId) -> bool {
        self.succeeded.contains_key(payment)
    }

    pub(super) fn succeed(&mut self, payment: &ProviderId, paid: i64) {
        self.succeeded.entry(payment.clone()).or_insert(paid);
    }

    /// What the credits of this payment go by: its invoice, or itself.
    #[must_use]
    pub fn bought_by<'a>(&'a self, payment: &'a ProviderId) -> &'a ProviderId {
        self.invoices.get(payment).unwrap_or(payment)
    }

    #[must_use]
    pub fn invoice_of(&self, payment: &ProviderId) -> Option<&ProviderId> {
        self.invoices.get(payment)
    }

    pub(super) fn link(&mut self, payment: &ProviderId, invoice: &ProviderId) {
        self.invoices.entry(payment.clone()).or_insert_with(|| invoice.clone());
    }

    /// Whether a total says nothing that is not known.
    #[must_use]
    pub fn knows_total(&self, payment: &ProviderId, refunded: i64, at: Timestamp) -> bool {
        let refunds = self.refunds.get(payment);
        refunds.is_some_and(|refunds| refunds.totals.iter().any(|total| total.0 == at && total.1 >= refunded))
    }

    pub(super) fn note_total(&mut self, payment: &ProviderId, refunded: i64, paid: i64, at: Timestamp) {
        let refunds = self.refunds.entry(payment.clone()).or_default();
        refunds.paid.get_or_insert(paid);
        refunds.totals.insert((at, refunded));
    }

    /// Whether this refund is known, and, if `failed`, that it failed.
    #[must_use]
    pub fn knows_refund(&self, payment: &ProviderId, refund: &ProviderId, failed: bool) -> bool {
        let single = self.refunds.get(payment).and_then(|refunds| refunds.single.get(refund));
        single.is_some_and(|single| !failed || single.failed_at.is_some())
    }

    /// Whether a refund is counted: it is known itself, or a total was told since it was made.
    #[must_use]
    pub fn counts_refund(&self, payment: &ProviderId, refund: &ProviderId, refunded_at: Timestamp) -> bool {
        let totals = self.refunds.get(payment).map(|refunds| &refunds.totals);
        let told_since = totals.is_some_and(|totals| totals.iter().any(|(at, _)| *at >= refunded_at));
        told_since || self.knows_refund(payment, refund, false)
    }

    pub(super) fn note_refund(
        &mut self,
        payment: &ProviderId,
        refund: &ProviderId,
        amount: i64,
        refunded_at: Timestamp,
        failed_at: Option<Timestamp>,
    ) {
        let refunds = self.refunds.entry(payment.clone()).or_default();
        let single = Single { amount, refunded_at, failed_at: None };
        let single = refunds.single.entry(refund.clone()).or_insert(single);
        single.failed_at = single.failed_at.max(failed_at);
    }

    #[must_use]
    pub fn dispute(&self, dispute: &ProviderId) -> Option<&Dispute> {
        self.disputes.get(dispute)
    }

    pub(super) fn open(&mut self, dispute: &ProviderId, payment: &ProviderId, amount: i64) {
        let opened = Dispute {
            payment: payment.clone(),
            state: DisputeState::Open,
            amount: Some(amount),
            closed_at: None,
        };
        self.disputes.entry(dispute.clone()).or_insert(opened);
    }

    /// Whether an end of the dispute is known that came later, or at the same time and for better.
    #[must_use]
    pub fn knows_end(&self, dispute: &ProviderId, won: bool, at: Timestamp) -> bool {
        let known = self.disputes.get(dispute);
        let end = known.and_then(|known| Some((known.closed_at?, known.state == DisputeState::Won)));
        end.is_some_and(|end| end >= (at, won))
    }

    pub(super) fn close(
        &mut self,
        dispute: &ProviderId,
        payment: &ProviderId,
        won: bool,
        amount: Option<i64>,
        at: Timestamp,
    ) {
        if self.knows_end(dispute, won, at) {
            return;
        }
        let amount = amount.or_else(|| self.disputes.get(dispute).and_then(|known| known.amount));
        let state = if won { DisputeState::Won } else { DisputeState::Lost };
        let closed = Dispute { payment: payment.clone(), state, amount, closed_at: Some(at) };
        self.disputes.insert(dispute.clone(), closed);
    }

    /// The disputes of what `bought`, which is an invoice or a payment.
    pub fn disputes_of<'a>(
        &'a self,
        bought: &'a ProviderId,
    ) -> impl Iterator<Item = (&'a ProviderId, &'a Dispute)> {
        self.disputes.iter().filter(move |(_, dispute)| self.bought_by(&dispute.payment) == bought)
    }

    /// How much of what `bought` has gone back: refunds that did not fail, and lost disputes.
    #[must_use]
    pub fn returned(&self, bought: &ProviderId) -> Returned {
        let by_invoice = self.invoices.values().any(|invoice| invoice == bought);
        let refunds = self.refunds.iter().filter(|(payment, _)| self.bought_by(payment) == bought);
        let refunded = refunds.fold(0_i64, |sum, (_, refunds)| sum.saturating_add(refunds.net()));
        let lost = self.disputes_of(bought).filter(|(_, dispute)| dispute.state == DisputeState::Lost);
        let (mut returned, mut whole) = (refunded, false);
        for (_, dispute) in lost {
            returned = returned.saturating_add(dispute.amount.unwrap_or(0));
            whole |= dispute.amount.is_none();
        }
        let total = self.refunds.get(bought).and_then(|refunds| refunds.paid).filter(|_| !by_invoice);
        let paid = total.or_else(|| self.succeeded.get(bought).copied());
        // Credits that were bought by a payment before it was known to be an invoice's go by the invoice, too.
        let paid = paid.or_else(|| self.paid_for(bought));
        whole |= paid.is_none_or(|paid| paid <= 0) && returned > refunded;
        Returned { returned, paid, whole }
    }

    /// What the payments of an invoice come to that are known to have succeeded.
    fn paid_for(&self, invoice: &ProviderId) -> Option<i64> {
        let payments = self.invoices.iter().filter(|(_, paid)| *paid == invoice);
        let mut paid = payments.filter_map(|(payment, _)| self.succeeded.get(payment)).peekable();
        paid.peek()?;
        Some(paid.fold(0_i64, |sum, paid| sum.saturating_add(*paid)))
    }
}
