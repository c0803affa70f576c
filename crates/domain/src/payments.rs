//! What was paid, and how much of each payment was refunded or disputed?
//!
//! Stripe reports it in pieces that come in any order: totals of a payment, single refunds, refunds that failed,
//! disputes, and which invoice a payment was for. All pieces are kept, and the answer is computed from all of them,
//! so that it is the same in any order.

mod returned;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{amount::Money, ids::ProviderId, invoice::PaidInvoice, time::Timestamp, unbacked::Unbacked};

pub use returned::Returned;

/// What is known of payments. That one was taken back may be known before the grant that it bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecords {
    /// The payments that are known to have succeeded, with what was paid. A second report of one says nothing new.
    succeeded: BTreeMap<ProviderId, Money>,
    /// What invoices came to, by money and by the customer's balance.
    invoiced: BTreeMap<ProviderId, Invoiced>,
    /// What was put on the customer's balance or given back outside of the provider, by invoice and credit note.
    notes: BTreeMap<ProviderId, BTreeMap<ProviderId, CreditNote>>,
    /// What was reported of refunds, by the payment that was refunded.
    refunds: BTreeMap<ProviderId, Refunds>,
    disputes: BTreeMap<ProviderId, Dispute>,
    /// The invoice that a payment was for. Credits are bought by the invoice, money goes back by the payment.
    invoices: BTreeMap<ProviderId, ProviderId>,
    /// What was paid with money that never came. That has gone back, as far as credits go.
    #[serde(default)]
    unbacked: Unbacked,
}

/// What an invoice came to, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Invoiced {
    total: i64,
    /// What credit notes took off before it was paid.
    credited: i64,
}

/// A credit note. One that was voided counts for nothing, whichever of the two was reported first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    pub money: Money,
    pub voided: bool,
    /// When it was first reported to have been made.
    at: Timestamp,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Single {
    pub money: Money,
    refunded_at: Timestamp,
    /// When it became known that the money did not arrive.
    pub failed_at: Option<Timestamp>,
}

/// A dispute, as the last thing that was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub payment: ProviderId,
    pub state: DisputeState,
    /// What is disputed; `None` when that was not said.
    pub amount: Option<Money>,
    closed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeState {
    Open,
    Won,
    Lost,
}

/// What is known of the refunds of one payment, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentRefunds {
    /// What single refunds come to that did not fail.
    pub single: i64,
    /// What totals say, without what has failed since. `None`: no total was told.
    pub total: Option<i64>,
    /// What was paid, as the totals say.
    pub paid: Option<i64>,
}

impl Refunds {
    /// What has gone back and stayed there. A total counts what failed after it; single refunds may be known
    /// only in part, and so may totals: the greater one holds.
    fn net(&self) -> i64 {
        let single = self.single();
        self.total().map_or(single, |total| single.max(total))
    }

    fn single(&self) -> i64 {
        let single = self.single.values().filter(|single| single.failed_at.is_none());
        single.fold(0_i64, |sum, single| sum.saturating_add(single.money.minor))
    }

    fn total(&self) -> Option<i64> {
        self.totals.iter().map(|(at, total)| total.saturating_sub(self.failed_since(*at))).max()
    }

    /// What a total of `at` still counts, and what has failed since.
    fn failed_since(&self, at: Timestamp) -> i64 {
        let counted = self.single.values().filter(|single| {
            single.refunded_at <= at && single.failed_at.is_some_and(|failed_at| failed_at >= at)
        });
        counted.fold(0, |sum, single| sum.saturating_add(single.money.minor))
    }
}

impl PaymentRecords {
    #[must_use]
    pub fn has_succeeded(&self, payment: &ProviderId) -> bool {
        self.succeeded.contains_key(payment)
    }

    /// What was paid, as the first report of it said.
    #[must_use]
    pub fn paid(&self, payment: &ProviderId) -> Option<&Money> {
        self.succeeded.get(payment)
    }

    pub(super) fn succeed(&mut self, payment: &ProviderId, paid: &Money) {
        self.succeeded.entry(payment.clone()).or_insert_with(|| paid.clone());
    }

    pub(super) fn invoice(&mut self, invoice: &PaidInvoice) {
        let invoiced = Invoiced { total: invoice.total, credited: invoice.credited };
        self.invoiced.entry(invoice.invoice.clone()).or_insert(invoiced);
    }

    pub(super) fn leave_unbacked(&mut self, unbacked: Unbacked) {
        self.unbacked = unbacked;
    }

    #[must_use]
    pub fn unbacked(&self) -> &Unbacked {
        &self.unbacked
    }

    /// Whether a credit note says nothing that is not known.
    #[must_use]
    pub fn knows_note(&self, invoice: &ProviderId, note: &ProviderId, voided: bool) -> bool {
        self.find_note(invoice, note).is_some_and(|note| !voided || note.voided)
    }

    #[must_use]
    pub fn find_note(&self, invoice: &ProviderId, note: &ProviderId) -> Option<&CreditNote> {
        self.notes.get(invoice)?.get(note)
    }

    pub(super) fn note(
        &mut self,
        invoice: &ProviderId,
        note: &ProviderId,
        money: &Money,
        voided: bool,
        at: Timestamp,
    ) {
        let notes = self.notes.entry(invoice.clone()).or_default();
        let known =
            notes.entry(note.clone()).or_insert_with(|| CreditNote { money: money.clone(), voided, at });
        known.voided |= voided;
        known.at = known.at.min(at);
    }

    /// The notes that hold, with their invoices and when they were made.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&ProviderId, Timestamp, i64)> {
        let notes =
            self.notes.iter().flat_map(|(invoice, notes)| notes.values().map(move |note| (invoice, note)));
        notes.filter(|(_, note)| !note.voided).map(|(invoice, note)| (invoice, note.at, note.money.minor))
    }

    /// What of an invoice there is no money for any more, otherwise than by what notes put elsewhere after it was paid.
    pub(super) fn taken_off(&self, invoice: &ProviderId) -> Returned {
        let Returned { returned, paid, whole } = self.gone_back(invoice);
        Returned { returned: returned.saturating_sub(self.noted(invoice)), paid, whole }
    }

    /// Whether anything has gone back of anything.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        let credited = self.invoiced.values().any(|invoiced| invoiced.credited > 0);
        credited
            || !self.unbacked.is_empty()
            || !(self.refunds.is_empty() && self.disputes.is_empty() && self.notes.is_empty())
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

    /// The payments that are known to have paid an invoice.
    pub fn payments_of<'a>(&'a self, invoice: &'a ProviderId) -> impl Iterator<Item = &'a ProviderId> {
        self.invoices.iter().filter(move |(_, paid)| *paid == invoice).map(|(payment, _)| payment)
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
        let single = self.find_refund(payment, refund);
        single.is_some_and(|single| !failed || single.failed_at.is_some())
    }

    #[must_use]
    pub fn find_refund(&self, payment: &ProviderId, refund: &ProviderId) -> Option<&Single> {
        self.refunds.get(payment)?.single.get(refund)
    }

    /// The payment that a refund is known to be of.
    #[must_use]
    pub fn refunded_by(&self, refund: &ProviderId) -> Option<&ProviderId> {
        let mut refunds = self.refunds.iter();
        refunds.find(|(_, refunds)| refunds.single.contains_key(refund)).map(|(payment, _)| payment)
    }

    /// The invoice that a credit note is known to be of.
    #[must_use]
    pub fn credited_by(&self, note: &ProviderId) -> Option<&ProviderId> {
        self.notes.iter().find(|(_, notes)| notes.contains_key(note)).map(|(invoice, _)| invoice)
    }

    /// What is known of the refunds of a payment; `None`: of none.
    #[must_use]
    pub fn refunded(&self, payment: &ProviderId) -> Option<PaymentRefunds> {
        let refunds = self.refunds.get(payment)?;
        Some(PaymentRefunds { single: refunds.single(), total: refunds.total(), paid: refunds.paid })
    }

    /// The largest total that was told of a payment since then, in minor units. It counts every refund until then.
    #[must_use]
    pub fn refunded_since(&self, payment: &ProviderId, refunded_at: Timestamp) -> Option<i64> {
        let totals = &self.refunds.get(payment)?.totals;
        totals.iter().filter(|(at, _)| *at >= refunded_at).map(|(_, total)| *total).max()
    }

    pub(super) fn note_refund(
        &mut self,
        payment: &ProviderId,
        refund: &ProviderId,
        money: &Money,
        refunded_at: Timestamp,
        failed_at: Option<Timestamp>,
    ) {
        let refunds = self.refunds.entry(payment.clone()).or_default();
        let single = || Single { money: money.clone(), refunded_at, failed_at: None };
        let single = refunds.single.entry(refund.clone()).or_insert_with(single);
        single.failed_at = single.failed_at.max(failed_at);
    }

    #[must_use]
    pub fn dispute(&self, dispute: &ProviderId) -> Option<&Dispute> {
        self.disputes.get(dispute)
    }

    pub(super) fn open(&mut self, dispute: &ProviderId, payment: &ProviderId, amount: &Money) {
        let opened = Dispute {
            payment: payment.clone(),
            state: DisputeState::Open,
            amount: Some(amount.clone()),
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
        amount: Option<Money>,
        at: Timestamp,
    ) {
        if self.knows_end(dispute, won, at) {
            return;
        }
        let amount = amount.or_else(|| self.disputes.get(dispute).and_then(|known| known.amount.clone()));
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
}
