//! Which plans is the account on, until when, and what was paid for?
//!
//! Stripe's reports may come late, twice and in any order.
//! All of them are kept, by subscription, and everything here follows from the set of reports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    facts::{Facts, PlanConditions},
    ids::{PlanId, ProviderId},
    invoice::{PaidInvoice, UnpaidInvoice},
    months::{self, Month, free::FreeLine},
    payments::PaymentRecords,
    time::{Period, Timestamp},
    unbacked::{self, Unbacked},
};

pub use super::{
    months::months_between,
    report::{ReportOrder, SubscriptionState, SubscriptionStatus, TermsChange},
    stored_reports::{StoredReport, in_order, put_in_order},
    term::{PaidBy, PaidTerm, Term},
};

/// Everything that is known of an account's subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriptions {
    /// Shared by copies of an account, since most events do not change it.
    facts: BTreeMap<ProviderId, Arc<Facts>>,
    /// The newest report of each subscription.
    known: BTreeMap<ProviderId, SubscriptionState>,
    /// Terms that are free, or were recorded without invoice lines, in the order in which they became known.
    terms: Vec<PaidTerm>,
    /// The starts of the granted months of `terms`, by subscription.
    /// A month is granted once, even if two terms have it.
    #[serde(default)]
    granted: BTreeMap<ProviderId, BTreeSet<Timestamp>>,
    /// When the account moved in, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_in: Option<Timestamp>,
}

impl Subscriptions {
    /// Adds a report.
    pub fn observe(&mut self, terms: &SubscriptionState) {
        let facts = self.facts_of(&terms.subscription);
        facts.observe(terms);
        let newest = facts.newest().unwrap_or(terms).clone();
        self.known.insert(terms.subscription.clone(), newest);
        self.leave_free();
    }

    pub fn pay_invoice(&mut self, invoice: &PaidInvoice, paid_at: Timestamp) {
        self.facts_of(&invoice.subscription).pay(invoice, paid_at);
        self.leave_free();
    }

    /// Finds again when a plan with a price of 0 is given: once, even if several subscriptions name it or the account
    /// has it without one.
    fn leave_free(&mut self) {
        let lines: Vec<FreeLine> = self.facts.values().flat_map(|facts| facts.free_lines()).collect();
        let spans = months::free::spans(self.free_months(&lines), lines);
        for facts in self.facts.values_mut().filter(|facts| facts.is_free_otherwise(&spans)) {
            Arc::make_mut(facts).leave_free(&spans);
        }
    }

    /// Stores which invoices have no money behind them, and returns that.
    pub(super) fn leave_unbacked(&mut self, payments: &PaymentRecords) -> Unbacked {
        let unbacked = unbacked::search::find(self.facts.values().map(AsRef::as_ref), payments);
        for facts in self.facts.values_mut().filter(|facts| facts.is_unbacked_otherwise(&unbacked)) {
            Arc::make_mut(facts).leave_unbacked(&unbacked);
        }
        unbacked
    }

    pub fn leave_unpaid(&mut self, invoice: &UnpaidInvoice, at: Timestamp) {
        self.facts_of(&invoice.subscription).leave_unpaid(invoice, at);
    }

    /// Records that the month that ends at `month_end` has grants.
    pub fn month_opened(&mut self, subscription: &ProviderId, month_end: Timestamp) {
        if self.facts.contains_key(subscription) {
            self.facts_of(subscription).open(month_end);
        }
    }

    fn facts_of(&mut self, subscription: &ProviderId) -> &mut Facts {
        let facts = self.facts.entry(subscription.clone());
        Arc::make_mut(facts.or_insert_with(|| Arc::new(Facts::of_account(self.moved_in))))
    }

    /// Records when the account moved in. It comes before all reports.
    pub(super) const fn move_in(&mut self, as_of: Timestamp) {
        self.moved_in = Some(as_of);
    }

    #[must_use]
    pub const fn moved_in(&self) -> Option<Timestamp> {
        self.moved_in
    }

    #[must_use]
    pub fn facts(&self) -> &BTreeMap<ProviderId, Arc<Facts>> {
        &self.facts
    }

    /// All months that follow from facts, with their subscriptions.
    pub fn months(&self) -> impl Iterator<Item = (&ProviderId, &Month)> {
        self.facts.iter().flat_map(|(id, facts)| facts.months().iter().map(move |month| (id, month)))
    }

    /// The months without grants.
    pub fn closed_months(&self) -> impl Iterator<Item = (&ProviderId, &Month)> {
        self.facts.iter().flat_map(|(id, facts)| {
            let closed = facts.months().iter().filter(|month| !facts.is_opened(month));
            closed.map(move |month| (id, month))
        })
    }

    /// The months of the account's free plan, without those that began while a line gave the same plan: the rest of
    /// those is granted when the subscription has ended.
    /// The first month is granted when the account opens, and always counts.
    fn free_months(&self, lines: &[FreeLine]) -> Vec<(PlanId, Period)> {
        let free = self.terms.iter().filter(|paid| paid.term.paid.is_none());
        let months = free.flat_map(|paid| {
            let granted = self.granted.get(&paid.term.subscription).into_iter().flatten();
            granted.map(|start| (&paid.term, *start))
        });
        let by_itself = months.filter(|(term, start)| {
            let holds = |line: &FreeLine| line.plan == term.plan && line.span.contains(*start);
            *start == term.period.start || !lines.iter().any(holds)
        });
        let months = by_itself.map(|(term, start)| {
            let start = start.whole_second();
            (term.plan.clone(), Period { start, end: start.plus_months(1) })
        });
        months.collect()
    }

    /// Adds a free term. Terms end where a later change of plan replaces them, in whatever order both become known.
    pub fn pay(&mut self, term: &Term) {
        let mut paid = PaidTerm::new(term.clone());
        for other in &mut self.terms {
            if term.cuts(&other.term) {
                paid.skip_until_after(other.last_granted());
                other.end_at(term.period.start);
            } else if other.term.cuts(&paid.term) {
                paid.end_at(other.term.period.start);
            }
        }
        if let Some(granted) = self.granted.get(&term.subscription) {
            paid.skip(granted);
        }
        self.terms.push(paid);
    }

    /// Records that the month of a term that begins at `start` was granted. Earlier months are no longer granted.
    pub fn month_granted(&mut self, subscription: &ProviderId, start: Timestamp) {
        let granted = self.granted.entry(subscription.clone()).or_default();
        granted.insert(start);
        for paid in self.terms.iter_mut().filter(|paid| paid.term.subscription == *subscription) {
            // The months that passed on another plan are not granted.
            if paid.term.paid.is_none() && paid.next.is_some_and(|next| next < start) {
                paid.skip_until_after(Some(start));
            }
            paid.skip(granted);
        }
        self.leave_free();
    }

    /// Whether a report would be the newest of its subscription. A subscription that has ended stays ended.
    #[must_use]
    pub fn is_newer(&self, terms: &SubscriptionState) -> bool {
        self.facts.get(&terms.subscription).is_none_or(|facts| facts.would_hold(terms))
    }

    /// The report before this one.
    #[must_use]
    pub fn before(&self, terms: &SubscriptionState) -> Option<&SubscriptionState> {
        self.facts.get(&terms.subscription)?.before(terms)
    }

    #[must_use]
    pub fn known(&self) -> &BTreeMap<ProviderId, SubscriptionState> {
        &self.known
    }

    #[must_use]
    pub fn terms(&self) -> &[PaidTerm] {
        &self.terms
    }

    /// The subscription that is shown first: of those that give access, the one with the newest report.
    #[must_use]
    pub fn current(&self) -> Option<&SubscriptionState> {
        self.known
            .values()
            .filter(|terms| terms.status.gives_access())
            .max_by(|one, other| one.evidence.cmp(&other.evidence))
    }

    /// The subscriptions that have not ended at `at`, as far as is known.
    pub fn running(&self, at: Timestamp) -> impl Iterator<Item = &SubscriptionState> {
        self.known.values().filter(move |terms| terms.status.gives_access() && !terms.has_ended(at))
    }

    /// The end of the last period that was paid for and not given back.
    #[must_use]
    pub fn paid_until(&self, payments: &PaymentRecords) -> Option<Timestamp> {
        let lines = self.facts.values().filter_map(|facts| facts.paid_until(payments));
        let terms = self.terms.iter().filter(|paid| paid.term.paid.is_some());
        lines.chain(terms.map(|paid| paid.term.period.end)).max()
    }

    /// The subscription that gives this plan at `at`; of several, the one with the newest report.
    pub fn giving<'a>(
        &'a self,
        plan: &PlanId,
        at: Timestamp,
        known: PlanConditions<'a>,
    ) -> Option<&'a SubscriptionState> {
        let giving = self.facts.iter().filter(|(_, facts)| facts.plan(at, known) == Some(plan));
        let terms = giving.filter_map(|(id, _)| self.known.get(id));
        terms.max_by(|one, other| one.evidence.cmp(&other.evidence))
    }

    /// The plans that subscriptions give at `at`, with the subscriptions.
    pub fn plans<'a>(
        &'a self,
        at: Timestamp,
        known: PlanConditions<'a>,
    ) -> impl Iterator<Item = &'a PlanId> + 'a {
        let by_facts = self.facts.values().filter_map(move |facts| facts.plan(at, known));
        by_facts.chain(self.paid_out(at).map(|term| &term.plan))
    }

    /// The sum of the seats of a plan that subscriptions give at `at`.
    #[must_use]
    pub fn seats(&self, plan: &PlanId, at: Timestamp, known: PlanConditions<'_>) -> u64 {
        let giving = self.facts.values().filter(|facts| facts.plan(at, known) == Some(plan));
        let seats = giving.fold(0_u64, |sum, facts| sum.saturating_add(facts.seats(plan, at, known)));
        // A period that was recorded without invoice lines has one seat.
        seats.max(1)
    }

    /// A paid period that was recorded without invoice lines.
    fn paid_out(&self, at: Timestamp) -> Option<&Term> {
        let ended = |id: &ProviderId| self.known.get(id).is_none_or(|known| known.has_ended(at));
        self.terms
            .iter()
            .map(|paid| &paid.term)
            .filter(|term| term.period.contains(at) && term.paid.is_some() && ended(&term.subscription))
            .max_by_key(|term| (term.period.start, term.changed_at))
    }

    /// The next month of a free plan: its number, since when it is due, and the month.
    ///
    /// A month is due from its start, or from when the account returned to the free plan during it.
    /// Months that passed on another plan are not granted later.
    #[must_use]
    pub fn next_free_month(
        &self,
        paid: &PaidTerm,
        known: PlanConditions<'_>,
    ) -> Option<(u32, Timestamp, Period)> {
        let back = self.known.values().filter(|terms| !terms.status.gives_access());
        let back = back.map(|terms| terms.ended_at.unwrap_or(terms.evidence.reported_at)).max();
        let mut from = self.free_from(paid.next?, known)?;
        if let Some(back) = back {
            from = from.max(self.free_from(back, known)?);
        }
        (paid.granted..).map_while(|number| Some((number, paid.term.month(number)?))).find_map(
            |(number, month)| {
                let due = self.free_from(month.start.max(from), known)?;
                (due < month.end).then_some((number, due, month))
            },
        )
    }

    /// The first time, `at` or later, at which no subscription gives a plan.
    fn free_from(&self, at: Timestamp, known: PlanConditions<'_>) -> Option<Timestamp> {
        let mut at = at;
        while self.plans(at, known).next().is_some() {
            let changes = self.facts.values().filter_map(|facts| facts.changes_after(at, known));
            let ends = self.terms.iter().map(|paid| paid.term.period.end).filter(|end| *end > at);
            at = changes.chain(ends.filter(|_| self.paid_out(at).is_some())).min()?;
        }
        Some(at)
    }
}
