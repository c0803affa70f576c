//! What was paid, and how much of each payment was refunded or disputed?
//!
//! Stripe reports it in pieces that come in any order: totals of a payment, single refunds, failed refunds, disputes,
//! and which invoice a payment was for.
//! All pieces are kept, and results are computed from all of them, so that they do not depend on the order.

mod learning;
mod returned;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{amount::Money, ids::ProviderId, invoice::PaidInvoice, time::Timestamp, unbacked::Unbacked};

pub use returned::Returned;

/// What is known of payments. A refund may be known before the grant that its payment bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecords {
    /// The payments and invoices that were paid, with the amounts. A second report of one is ignored.
    succeeded: BTreeMap<ProviderId, Money>,
    /// The totals of paid invoices, by invoice.
    invoiced: BTreeMap<ProviderId, Invoiced>,
    /// By invoice and credit note.
    notes: BTreeMap<ProviderId, BTreeMap<ProviderId, CreditNote>>,
    /// By the payment that was refunded.
    refunds: BTreeMap<ProviderId, Refunds>,
    disputes: BTreeMap<ProviderId, Dispute>,
    /// Which invoice a payment was for. Grants name the invoice, refunds the payment.
    invoices: BTreeMap<ProviderId, ProviderId>,
    /// What was paid with money that never came. For credits it counts as returned.
    #[serde(default)]
    unbacked: Unbacked,
}

/// What an invoice came to, paid by money and by the customer's balance, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Invoiced {
    total: i64,
    /// What credit notes took off before it was paid.
    credited: i64,
}

/// A credit note. If it was voided it does not count, whichever report came first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    pub money: Money,
    pub voided: bool,
    /// When it was made, by the first report of it.
    at: Timestamp,
}

/// What was reported of the refunds of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Refunds {
    /// How much was paid, as the totals say, in minor units.
    paid: Option<i64>,
    /// When the total of refunds was reported, and how much it was, in minor units.
    totals: BTreeSet<(Timestamp, i64)>,
    single: BTreeMap<ProviderId, Single>,
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Single {
    pub money: Money,
    refunded_at: Timestamp,
    /// When it was reported to have failed.
    pub failed_at: Option<Timestamp>,
}

/// A dispute, by its newest report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub payment: ProviderId,
    pub state: DisputeState,
    /// The disputed amount. `None`: not reported.
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
    /// The sum of single refunds that did not fail.
    pub single: i64,
    /// The largest total, less what has failed since. `None`: no total was reported.
    pub total: Option<i64>,
    /// How much was paid, as the totals say.
    pub paid: Option<i64>,
}

impl Refunds {
    /// How much was refunded and not returned, in minor units.
    /// A total includes refunds that failed later, and both single refunds and totals may be known only in part, so the
    /// larger one counts.
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

    /// The refunds that a total of `at` includes, and that have failed since.
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

    /// How much was paid, by the first report of it.
    #[must_use]
    pub fn paid(&self, payment: &ProviderId) -> Option<&Money> {
        self.succeeded.get(payment)
    }

    fn succeed(&mut self, payment: &ProviderId, paid: &Money) {
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

    /// Whether a report of this credit note says nothing new.
    #[must_use]
    pub fn knows_note(&self, invoice: &ProviderId, note: &ProviderId, voided: bool) -> bool {
        self.find_note(invoice, note).is_some_and(|note| !voided || note.voided)
    }

    #[must_use]
    pub fn find_note(&self, invoice: &ProviderId, note: &ProviderId) -> Option<&CreditNote> {
        self.notes.get(invoice)?.get(note)
    }

    fn note(&mut self, invoice: &ProviderId, note: &ProviderId, money: &Money, voided: bool, at: Timestamp) {
        let notes = self.notes.entry(invoice.clone()).or_default();
        let known =
            notes.entry(note.clone()).or_insert_with(|| CreditNote { money: money.clone(), voided, at });
        known.voided |= voided;
        known.at = known.at.min(at);
    }

    /// The credit notes that were not voided: their invoice, when they were made, and the amount in minor units.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&ProviderId, Timestamp, i64)> {
        let notes =
            self.notes.iter().flat_map(|(invoice, notes)| notes.values().map(move |note| (invoice, note)));
        notes.filter(|(_, note)| !note.voided).map(|(invoice, note)| (invoice, note.at, note.money.minor))
    }

    /// How much of an invoice was returned, except by credit notes after it was paid.
    pub(super) fn taken_off(&self, invoice: &ProviderId) -> Returned {
        let Returned { returned, paid, whole } = self.gone_back(invoice);
        Returned { returned: returned.saturating_sub(self.noted(invoice)), paid, whole }
    }

    /// Whether any money was returned.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        let credited = self.invoiced.values().any(|invoiced| invoiced.credited > 0);
        credited
            || !self.unbacked.is_empty()
            || !(self.refunds.is_empty() && self.disputes.is_empty() && self.notes.is_empty())
    }

    /// What the grants of this payment name: its invoice, or the payment itself if no invoice is known.
    #[must_use]
    pub fn bought_by<'a>(&'a self, payment: &'a ProviderId) -> &'a ProviderId {
        self.invoices.get(payment).unwrap_or(payment)
    }

    #[must_use]
    pub fn invoice_of(&self, payment: &ProviderId) -> Option<&ProviderId> {
        self.invoices.get(payment)
    }

    /// The payments that are known to have paid this invoice.
    pub fn payments_of<'a>(&'a self, invoice: &'a ProviderId) -> impl Iterator<Item = &'a ProviderId> {
        self.invoices.iter().filter(move |(_, paid)| *paid == invoice).map(|(payment, _)| payment)
    }

    fn link(&mut self, payment: &ProviderId, invoice: &ProviderId) {
        self.invoices.entry(payment.clone()).or_insert_with(|| invoice.clone());
    }

    /// Whether a report of this total says nothing new.
    #[must_use]
    pub fn knows_total(&self, payment: &ProviderId, refunded: i64, at: Timestamp) -> bool {
        let refunds = self.refunds.get(payment);
        refunds.is_some_and(|refunds| refunds.totals.iter().any(|total| total.0 == at && total.1 >= refunded))
    }

    fn note_total(&mut self, payment: &ProviderId, refunded: i64, paid: i64, at: Timestamp) {
        let refunds = self.refunds.entry(payment.clone()).or_default();
        refunds.paid.get_or_insert(paid);
        refunds.totals.insert((at, refunded));
    }

    /// Whether this refund is known, and, if `failed`, known to have failed.
    #[must_use]
    pub fn knows_refund(&self, payment: &ProviderId, refund: &ProviderId, failed: bool) -> bool {
        let single = self.find_refund(payment, refund);
        single.is_some_and(|single| !failed || single.failed_at.is_some())
    }

    #[must_use]
    pub fn find_refund(&self, payment: &ProviderId, refund: &ProviderId) -> Option<&Single> {
        self.refunds.get(payment)?.single.get(refund)
    }

    /// The payment of this refund, if it is known.
    #[must_use]
    pub fn refunded_by(&self, refund: &ProviderId) -> Option<&ProviderId> {
        let mut refunds = self.refunds.iter();
        refunds.find(|(_, refunds)| refunds.single.contains_key(refund)).map(|(payment, _)| payment)
    }

    /// The invoice of this credit note, if it is known.
    #[must_use]
    pub fn credited_by(&self, note: &ProviderId) -> Option<&ProviderId> {
        self.notes.iter().find(|(_, notes)| notes.contains_key(note)).map(|(invoice, _)| invoice)
    }

    /// What is known of the refunds of a payment. `None`: no refund is known.
    #[must_use]
    pub fn refunded(&self, payment: &ProviderId) -> Option<PaymentRefunds> {
        let refunds = self.refunds.get(payment)?;
        Some(PaymentRefunds { single: refunds.single(), total: refunds.total(), paid: refunds.paid })
    }

    /// The largest total reported at `refunded_at` or later, in minor units. It includes every refund made until then.
    #[must_use]
    pub fn refunded_since(&self, payment: &ProviderId, refunded_at: Timestamp) -> Option<i64> {
        let totals = &self.refunds.get(payment)?.totals;
        totals.iter().filter(|(at, _)| *at >= refunded_at).map(|(_, total)| *total).max()
    }

    fn note_refund(
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

    fn open(&mut self, dispute: &ProviderId, payment: &ProviderId, amount: &Money) {
        let opened = Dispute {
            payment: payment.clone(),
            state: DisputeState::Open,
            amount: Some(amount.clone()),
            closed_at: None,
        };
        self.disputes.entry(dispute.clone()).or_insert(opened);
    }

    /// Whether a later end of the dispute is known, or one of the same time with a result at least as good.
    #[must_use]
    pub fn knows_end(&self, dispute: &ProviderId, won: bool, at: Timestamp) -> bool {
        let known = self.disputes.get(dispute);
        let end = known.and_then(|known| Some((known.closed_at?, known.state == DisputeState::Won)));
        end.is_some_and(|end| end >= (at, won))
    }

    fn close(
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

    /// The disputes of an invoice or a payment.
    pub fn disputes_of<'a>(
        &'a self,
        bought: &'a ProviderId,
    ) -> impl Iterator<Item = (&'a ProviderId, &'a Dispute)> {
        self.disputes.iter().filter(move |(_, dispute)| self.bought_by(&dispute.payment) == bought)
    }
}
