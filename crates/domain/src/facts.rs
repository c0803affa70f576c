//! What is known of one subscription, in whatever order it became known?

mod backing;
mod elsewhere;
mod free;
mod grace;
mod plan;
mod seats;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    ids::ProviderId,
    invoice::{InvoiceState, LineEffect, PaidInvoice, PaidLine, UnpaidInvoice},
    months::{self, HeldLine, KnownInvoice, Month, free::FreeSpans},
    payments::PaymentRecords,
    report::{SubscriptionState, SubscriptionStatus},
    stored_reports::put_in_order,
    time::Timestamp,
    unbacked::Lack,
};

/// What decides whether a subscription gives its plan, besides facts about it.
#[derive(Clone, Copy)]
pub struct PlanConditions<'a> {
    pub payments: &'a PaymentRecords,
    pub bridge_days: u16,
}

/// The set of facts about one subscription. Two sets with the same facts are equal, however they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The last one holds.
    reports: Vec<SubscriptionState>,
    /// Sorted by invoice id.
    invoices: Vec<KnownInvoice>,
    unpaid: BTreeMap<ProviderId, (UnpaidInvoice, Timestamp)>,
    /// How much money is missing for invoices that were given back in part: the same share of that was never paid.
    #[serde(default)]
    unbacked: BTreeMap<ProviderId, Lack>,
    /// When each line that charges nothing gives its free plan.
    #[serde(default)]
    free: FreeSpans,
    /// What the months should have given, computed from the facts above.
    months: Vec<Month>,
    /// What lines charge for and give back, computed from the facts above.
    held: Vec<HeldLine>,
    /// The ends of the months that have grants.
    opened: BTreeSet<Timestamp>,
    /// The start of the first paid month that has no grants yet.
    next: Option<Timestamp>,
    /// When the account moved in, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_in: Option<Timestamp>,
}

impl Facts {
    /// Adds a report, which may be older than others.
    pub(super) fn observe(&mut self, terms: &SubscriptionState) {
        if !self.knows(terms) {
            put_in_order(&mut self.reports, terms.clone());
            self.work_out();
        }
    }

    fn knows(&self, terms: &SubscriptionState) -> bool {
        self.reports.iter().any(|known| known.evidence.id == terms.evidence.id)
    }

    /// The reports with one more, in order.
    fn with<'a>(&'a self, terms: &'a SubscriptionState) -> Vec<&'a SubscriptionState> {
        let mut all: Vec<&SubscriptionState> = self.reports.iter().collect();
        put_in_order(&mut all, terms);
        all
    }

    /// Whether `terms` is a new report, and would be the newest.
    pub(super) fn would_hold(&self, terms: &SubscriptionState) -> bool {
        let all = self.with(terms);
        !self.knows(terms) && all.last().is_some_and(|last| last.evidence == terms.evidence)
    }

    /// The report before this one, which need not be known itself.
    pub(super) fn before(&self, terms: &SubscriptionState) -> Option<&SubscriptionState> {
        let all = self.with(terms);
        let place = all.iter().position(|told| told.evidence == terms.evidence)?;
        let before = all.get(place.checked_sub(1)?)?;
        self.reports.iter().find(|known| known.evidence == before.evidence)
    }

    pub(super) fn pay(&mut self, invoice: &PaidInvoice, paid_at: Timestamp) {
        let place = self.invoices.binary_search_by(|known| known.invoice.invoice.cmp(&invoice.invoice));
        if let Err(place) = place {
            self.invoices.insert(place, KnownInvoice { invoice: invoice.clone(), paid_at });
            self.unpaid.remove(&invoice.invoice);
            self.work_out();
        }
    }

    /// Adds a report of an unpaid invoice.
    /// Of several, the one with the latest state counts, and a paid invoice stays paid.
    pub(super) fn leave_unpaid(&mut self, invoice: &UnpaidInvoice, at: Timestamp) {
        if self.knows_invoice(&invoice.invoice) {
            return;
        }
        let known = self.unpaid.entry(invoice.invoice.clone()).or_insert_with(|| (invoice.clone(), at));
        if (known.0.state, known.1) < (invoice.state, at) {
            *known = (invoice.clone(), at);
        }
        self.work_out();
    }

    /// The invoices that were paid for this account: those paid after the subscription had moved are the other
    /// account's.
    fn own_invoices(&self) -> Vec<KnownInvoice> {
        self.invoices.iter().filter(|known| !self.had_moved(known.paid_at)).cloned().collect()
    }

    fn work_out(&mut self) {
        let own = self.own_invoices();
        let unpaid: Vec<&UnpaidInvoice> = self.unpaid.values().map(|(unpaid, _)| unpaid).collect();
        let (reports, unbacked, free) = (&self.reports, &self.unbacked, &self.free);
        let beside = months::Beside { reports, unpaid: &unpaid, unbacked, free };
        self.months = months::months(&own, beside);
        let backed: Vec<KnownInvoice> = own.iter().map(|known| self.without_unbacked(known)).collect();
        self.held = months::held_lines(&backed, &self.reports);
        self.open_elsewhere();
        self.find_next();
    }

    fn had_moved(&self, at: Timestamp) -> bool {
        let by_then = self.reports.iter().rfind(|report| report.evidence.reported_at <= at);
        by_then.is_some_and(|report| report.moved_to.is_some())
    }

    pub(super) fn open(&mut self, month_end: Timestamp) {
        self.opened.insert(month_end);
        self.find_next();
    }

    fn find_next(&mut self) {
        let closed = self.months.iter().filter(|month| !self.is_opened(month));
        self.next = closed.filter(|month| !month.paid_for().is_zero()).map(|month| month.period.start).min();
    }

    /// When the next credits are due, as far as is known at `at`: with the next paid month, else with the renewal.
    /// If the running period is not paid, they have been due since it began.
    #[must_use]
    pub fn next_credits_at(&self, at: Timestamp, payments: &PaymentRecords) -> Option<Timestamp> {
        let begins = self.months.iter().filter(|month| at < month.period.start && self.pays(month, payments));
        if let Some(next) = begins.map(|month| month.period.start).min() {
            return Some(next);
        }
        let report = self.newest()?;
        let period = report.period;
        let is_paid =
            self.months.iter().any(|month| month.period.end > period.start && self.pays(month, payments));
        let next = if is_paid || at < period.start || report.status == SubscriptionStatus::Trialing {
            period.end
        } else {
            period.start
        };
        let goes_on = report.status.gives_access() && !report.collection_paused && !report.has_ended(next);
        goes_on.then_some(next)
    }

    /// When the next month begins that gives something and has no grants yet.
    #[must_use]
    pub const fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Whether the month of [`Self::next`] has begun at `at`.
    #[must_use]
    pub fn has_begun(&self, at: Timestamp) -> bool {
        self.next.is_some_and(|next| next <= at)
    }

    #[must_use]
    pub fn is_opened(&self, month: &Month) -> bool {
        self.opened.contains(&month.period.end)
    }

    /// Months that have grants, although by what is known now nothing pays for them: nothing is due for them.
    pub fn months_that_were_none(&self) -> impl Iterator<Item = Month> {
        let ends =
            self.opened.iter().filter(|end| !self.months.iter().any(|month| month.period.end == **end));
        let plan = self.invoices.iter().flat_map(|known| &known.invoice.lines).next().map(|line| &line.plan);
        ends.filter_map(move |end| Some(Month::nothing(*end, plan?.clone())))
    }

    /// Whether this invoice is known to be paid, with its lines.
    #[must_use]
    pub fn knows_invoice(&self, invoice: &ProviderId) -> bool {
        self.invoices.iter().any(|known| known.invoice.invoice == *invoice)
    }

    #[must_use]
    pub fn months(&self) -> &[Month] {
        &self.months
    }

    #[must_use]
    pub fn reports(&self) -> &[SubscriptionState] {
        &self.reports
    }

    #[must_use]
    pub fn invoices(&self) -> &[KnownInvoice] {
        &self.invoices
    }

    /// The invoices that are not paid, and since when.
    pub(super) fn unpaid_invoices(&self) -> impl Iterator<Item = (&UnpaidInvoice, Timestamp)> {
        self.unpaid.values().map(|(invoice, at)| (invoice, *at))
    }

    /// The newest report. A report that the subscription has ended stays the newest.
    #[must_use]
    pub fn newest(&self) -> Option<&SubscriptionState> {
        self.reports.iter().rfind(|report| report.ended_at.is_some()).or_else(|| self.reports.last())
    }

    /// Why an invoice is not paid. `None`: no report says that it is unpaid.
    #[must_use]
    pub fn unpaid(&self, invoice: &ProviderId) -> Option<InvoiceState> {
        self.unpaid_invoice(invoice).map(|unpaid| unpaid.state)
    }

    /// The last report of an invoice that is not paid.
    #[must_use]
    pub fn unpaid_invoice(&self, invoice: &ProviderId) -> Option<&UnpaidInvoice> {
        self.unpaid.get(invoice).map(|(unpaid, _)| unpaid)
    }

    /// When this invoice was paid, if it was.
    #[must_use]
    pub fn paid_at(&self, invoice: &ProviderId) -> Option<Timestamp> {
        self.invoices.iter().find(|known| known.invoice.invoice == *invoice).map(|known| known.paid_at)
    }

    /// Whether any money had been paid by `at`, so that the first payment had arrived.
    #[must_use]
    pub fn had_paid(&self, at: Timestamp) -> bool {
        self.invoices.iter().any(|known| known.invoice.total > 0 && known.paid_at <= at)
    }

    /// Whether something was paid for, by money or by a coupon for all of it.
    #[must_use]
    pub fn has_paid(&self) -> bool {
        let charges = |line: &PaidLine| line.effect == LineEffect::Charge && !line.free;
        self.invoices.iter().any(|known| known.invoice.total > 0 || known.invoice.lines.iter().any(charges))
    }

    /// The end of the last period that was paid for and not given back.
    pub(super) fn paid_until(&self, payments: &PaymentRecords) -> Option<Timestamp> {
        let ends: BTreeSet<Timestamp> = self.held.iter().map(|line| line.period.end).collect();
        let is_held = |end: &Timestamp| self.plan_paid(end.minus(TimeDelta::seconds(1)), payments).is_some();
        ends.into_iter().rev().find(is_held)
    }

    /// When the plan ends at the latest if nothing more is paid.
    /// If all that was charged is unpaid or given back, there is nothing to bridge. `None`: no charge is known.
    fn bridged_until(&self, known: PlanConditions<'_>) -> Option<Timestamp> {
        let Some(end) = self.paid_until(known.payments) else {
            let charges = self.held.iter().filter(|line| line.quantity > 0);
            return charges.map(|line| line.period.start).min();
        };
        Some(end.plus(TimeDelta::days(i64::from(known.bridge_days))))
    }

    /// Whether `at` was paid for and all of that money was returned.
    /// What was given back for another period does not count.
    fn is_refunded(&self, at: Timestamp, payments: &PaymentRecords) -> bool {
        let mut charges = self.held.iter().filter(|line| line.quantity > 0 && line.period.contains(at));
        let is_back =
            |invoice: &ProviderId| payments.returned(invoice).is_all() && !self.waits(invoice, payments);
        payments.has_returned() && charges.any(|line| is_back(&line.invoice))
    }

    /// Whether at least one invoice pays for the month that does not itself wait for another payment ([`Self::waits`]).
    fn pays(&self, month: &Month, payments: &PaymentRecords) -> bool {
        let mut pieces = month.pieces.iter();
        month.is_paid(payments) && pieces.any(|piece| !self.waits(&piece.invoice, payments))
    }

    /// Whether an invoice was paid only with what it gives back of another one whose payment is still awaited, directly
    /// or through other invoices.
    /// A failed payment is not awaited.
    fn waits(&self, invoice: &ProviderId, payments: &PaymentRecords) -> bool {
        let lacks_all = |of: &ProviderId| payments.returned(of).is_all() && !payments.gone_back(of).is_all();
        let (mut seen, mut next) = (BTreeSet::new(), vec![invoice]);
        while let Some(invoice) = next.pop() {
            let paid = self.invoices.iter().find(|known| known.invoice.invoice == *invoice);
            match paid.map(|known| &known.invoice) {
                Some(paid) if lacks_all(invoice) && seen.insert(invoice) => {
                    next.extend(paid.gives_back.keys().filter(|of| *of != invoice));
                }
                Some(_) => {}
                None if seen.is_empty() => return false,
                None => {
                    if self.unpaid(invoice).is_none_or(|state| state == InvoiceState::Open) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Whether the money for `at` is known not to come, or the first payment has not arrived yet.
    fn is_unpaid(&self, at: Timestamp, payments: &PaymentRecords) -> bool {
        let first = !self.has_paid();
        let until = self.paid_until(payments);
        let is_next = |unpaid: &UnpaidInvoice, end| unpaid.goes_on_at(end, self.was_renewed(end));
        self.unpaid.values().any(|(unpaid, _)| match unpaid.state {
            InvoiceState::Void | InvoiceState::Uncollectible => {
                let after = until.is_none_or(|until| is_next(unpaid, until));
                after && unpaid.charges.iter().any(|charge| charge.period.contains(at))
            }
            InvoiceState::Open | InvoiceState::Failed => first,
        })
    }

    /// Whether a report has a period that began at `end` or later.
    fn was_renewed(&self, end: Timestamp) -> bool {
        self.reports.iter().any(|report| end <= report.period.start)
    }

    /// Until when the rest of a month that ended at `boundary` can be spent, because the subscription goes on and the
    /// next month is not paid yet.
    /// `None`: it ended with the month.
    #[must_use]
    pub(super) fn bridge(&self, boundary: Timestamp, known: PlanConditions<'_>) -> Option<Timestamp> {
        let report = self.newest()?;
        // A free plan besides the reported one says nothing about the renewal.
        let is_beside = |month: &&Month| month.free && month.plan != report.plan;
        let later = self.months.iter().filter(|month| month.period.end > boundary);
        let is_paid = later.filter(|month| !is_beside(month)).any(|month| self.pays(month, known.payments));
        if is_paid || report.collection_paused || report.has_ended(boundary) {
            return None;
        }
        let goes_on = |report: &SubscriptionState| report.status.gives_access();
        let stopped = self.reports.iter().filter(|report| report.evidence.reported_at >= boundary);
        let stopped =
            stopped.filter(|report| !goes_on(report)).map(|report| report.evidence.reported_at).min();
        let before = self.reports.iter().rfind(|report| report.evidence.reported_at < boundary);
        if before.is_some_and(|before| !goes_on(before)) {
            return None;
        }
        let dead = self.unpaid.values().filter(|(unpaid, _)| {
            unpaid.state.is_final() && unpaid.goes_on_at(boundary, self.was_renewed(boundary))
        });
        let dead = dead.map(|(_, at)| *at).filter(|at| *at >= boundary).min();
        let ends = report.ended_at.into_iter().chain(report.cancel_at).chain(stopped).chain(dead);
        let ends = ends.chain(self.lapses_at(known.payments).map(|lapses| lapses.max(boundary)));
        ends.chain([boundary.plus(TimeDelta::days(i64::from(known.bridge_days)))]).min()
    }

    /// The first instant after `at` at which the plan may change merely because time passes.
    pub(super) fn changes_after(&self, at: Timestamp, known: PlanConditions<'_>) -> Option<Timestamp> {
        let lines = self.invoices.iter().flat_map(|known| &known.invoice.lines);
        let bounds = lines.flat_map(|line| [line.period.start, line.period.end]);
        let report = self.newest();
        let report =
            report.into_iter().flat_map(|report| [report.cancel_at, report.trial_end, report.ended_at]);
        let ends = self.lapses_at(known.payments).into_iter().chain(self.bridged_until(known));
        bounds.chain(report.flatten()).chain(ends).filter(|change| *change > at).min()
    }

    /// When the trial's credits end: with the trial, by the newest report of it.
    #[must_use]
    pub fn trial_end(&self) -> Option<Timestamp> {
        let last = self.reports.iter().rposition(|report| report.status == SubscriptionStatus::Trialing)?;
        let trial = self.reports.get(last)?;
        let ends = trial.trial_end.unwrap_or(trial.period.end);
        let after = self.reports.get(last.saturating_add(1));
        let over = after.map(|after| {
            let told = after.trial_end.or(after.ended_at).unwrap_or(after.evidence.reported_at);
            told.min(after.evidence.reported_at)
        });
        Some(over.map_or(ends, |over| over.min(ends)))
    }

    /// The first report of the trial, which decides what it gives.
    #[must_use]
    pub fn trial(&self) -> Option<&SubscriptionState> {
        self.reports.iter().find(|report| report.status == SubscriptionStatus::Trialing)
    }
}
