//! Which plan is the account on, until when, and what was paid for?
//!
//! What Stripe reports is evidence that may come late, twice and in any order. Each report is absolute, so the
//! newest one holds, and a subscription that ended stays ended.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, TimeDelta};
use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    arrears::Arrears,
    names::{PlanId, ProviderId},
    time::{Period, Timestamp},
};

pub use super::report::{Evidence, Reports, Step, SubscriptionStatus, SubscriptionTerms, Told, in_order};

/// A plan's period that was paid for, or is free. Its allocation is granted month by month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Term {
    pub subscription: ProviderId,
    pub plan: PlanId,
    pub period: Period,
    /// Credits for each month that begins in the period.
    pub monthly: Credits,
    /// The most that may roll over into each of those months. `None`: nothing rolls over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_max: Option<Credits>,
    /// What was paid for the whole period, and by which payment. `None`: it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<PaidBy>,
    /// Ends earlier terms of the subscription where this one begins.
    #[serde(default)]
    pub replaces: bool,
    /// When the plan changed, for a term that replaces the rest of another. The latest change holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Where months are counted from, when that is not the term's own start: a year that began on the 31st has
    /// a month that begins on the 30th, and the next one begins on the 31st again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidBy {
    pub payment: ProviderId,
    pub cost: Money,
    /// How many months the price is for, which its cost is spread over.
    pub months: u32,
}

impl Term {
    /// The month with this number, from 0. The last one ends with the term; `None` when there are fewer.
    #[must_use]
    pub fn month(&self, number: u32) -> Option<Period> {
        let months = self.months();
        let anchor = self.anchor.unwrap_or(self.period.start);
        let before = months_between(anchor, self.period.start);
        let boundary = |number: u32| match number {
            0 => self.period.start,
            number if number >= months => self.period.end,
            number => anchor.plus_months(before.saturating_add(number)),
        };
        (number < months).then(|| Period { start: boundary(number), end: boundary(number.saturating_add(1)) })
    }

    /// How many months the term has: none when it was replaced from its start, else at least one.
    fn months(&self) -> u32 {
        let lasts = self.period.start < self.period.end;
        if lasts { months_between(self.period.start, self.period.end).max(1) } else { 0 }
    }

    /// Whether this term holds instead of `other` from its own start on. A period that was paid for after the change
    /// is not what the change was about.
    fn cuts(&self, other: &Self) -> bool {
        let before = other.replaces || self.changed_at.is_none_or(|at| other.period.start < at);
        let later =
            (self.changed_at, &self.plan, self.monthly) > (other.changed_at, &other.plan, other.monthly);
        self.replaces
            && self.subscription == other.subscription
            && other.period.contains(self.period.start)
            && before
            && later
    }
}

/// By how many days a month may be off: a period that began on the 31st begins on the 28th in February.
const ANCHOR_DAYS: TimeDelta = TimeDelta::days(4);

/// How many months lie between two instants, where a rest of a few days is not one.
#[must_use]
pub fn months_between(start: Timestamp, end: Timestamp) -> u32 {
    let number = |at: Timestamp| {
        let at = at.to_utc();
        i64::from(at.year()).saturating_mul(12).saturating_add(i64::from(at.month()))
    };
    let whole = u32::try_from(number(end).saturating_sub(number(start))).unwrap_or(0);
    // The calendar's difference is at most one month off, to either side.
    (whole.saturating_sub(1)..=whole.saturating_add(1))
        .find(|months| start.plus_months(*months).plus(ANCHOR_DAYS) >= end)
        .unwrap_or(whole)
}

/// Everything that is known of an account's subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriptions {
    /// The newest report of each subscription.
    known: BTreeMap<ProviderId, SubscriptionTerms>,
    /// What was paid, in the order in which it became known.
    terms: Vec<PaidTerm>,
    /// When the months began that were granted, by subscription. None is granted twice, also if two terms that
    /// were paid have it.
    #[serde(default)]
    granted: BTreeMap<ProviderId, BTreeSet<Timestamp>>,
    #[serde(default)]
    arrears: BTreeMap<ProviderId, Arrears>,
    /// The newest reports of each subscription. The last one of them is the one that is known.
    #[serde(default)]
    reports: BTreeMap<ProviderId, Reports>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidTerm {
    pub term: Term,
    /// The number of the first month that has not been granted.
    pub granted: u32,
    /// When that month begins. `None`: all are granted.
    pub next: Option<Timestamp>,
}

impl PaidTerm {
    fn new(term: Term) -> Self {
        let mut paid = Self { term, granted: 0, next: None };
        paid.move_on(0);
        paid
    }

    fn move_on(&mut self, granted: u32) {
        self.granted = granted;
        let month = self.term.month(granted).filter(|_| !self.term.monthly.is_zero());
        self.next = month.map(|month| month.start);
    }

    fn end_at(&mut self, end: Timestamp) {
        self.term.period.end = end;
        self.move_on(self.granted);
    }

    /// When the last month that was granted began.
    fn last_granted(&self) -> Option<Timestamp> {
        self.term.month(self.granted.checked_sub(1)?).map(|month| month.start)
    }

    fn skip(&mut self, granted: &BTreeSet<Timestamp>) {
        while self.next.is_some_and(|next| granted.contains(&next)) {
            self.move_on(self.granted.saturating_add(1));
        }
    }

    fn skip_until_after(&mut self, start: Option<Timestamp>) {
        while self.next.is_some_and(|next| start.is_some_and(|start| next <= start)) {
            self.move_on(self.granted.saturating_add(1));
        }
    }
}

impl Subscriptions {
    /// Takes a report into account. An older one, or one on a subscription that ended, changes nothing.
    pub fn observe(&mut self, terms: &SubscriptionTerms) {
        self.arrears.entry(terms.subscription.clone()).or_default().observe(terms);
        let reports = self.reports.entry(terms.subscription.clone()).or_default();
        reports.observe(terms);
        if let Some(newest) = reports.newest() {
            self.known.insert(terms.subscription.clone(), newest.clone());
        }
    }

    /// Whether a report would hold over what is known of its subscription.
    #[must_use]
    pub fn is_newer(&self, terms: &SubscriptionTerms) -> bool {
        self.reports.get(&terms.subscription).is_none_or(|reports| reports.would_hold(terms))
    }

    /// What was said last of the subscription before a report was made, as far as that is remembered.
    #[must_use]
    pub fn before(&self, terms: &SubscriptionTerms) -> Option<&SubscriptionTerms> {
        self.reports.get(&terms.subscription)?.before(terms)
    }

    /// Adds what was paid. Terms end where a later change of plan replaces them, in whatever order both come.
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

    /// Notes that the month which begins at `start` has been granted. Months before it are never granted.
    pub fn month_granted(&mut self, subscription: &ProviderId, start: Timestamp) {
        let granted = self.granted.entry(subscription.clone()).or_default();
        granted.insert(start);
        for paid in self.terms.iter_mut().filter(|paid| paid.term.subscription == *subscription) {
            // A free plan leaves out the months that went by on another plan.
            if paid.term.paid.is_none() && paid.next.is_some_and(|next| next < start) {
                paid.skip_until_after(Some(start));
            }
            paid.skip(granted);
        }
    }

    #[must_use]
    pub fn known(&self) -> &BTreeMap<ProviderId, SubscriptionTerms> {
        &self.known
    }

    #[must_use]
    pub fn terms(&self) -> &[PaidTerm] {
        &self.terms
    }

    /// Whether the same period of the same subscription was paid before.
    #[must_use]
    pub fn is_paid(&self, subscription: &ProviderId, start: Timestamp) -> bool {
        let paid = self.terms.iter().map(|paid| &paid.term).filter(|term| !term.replaces);
        paid.filter(|term| term.subscription == *subscription).any(|term| term.period.start == start)
    }

    /// The subscription that says which plan holds: the newest report of those that give access.
    #[must_use]
    pub fn current(&self) -> Option<&SubscriptionTerms> {
        self.known
            .values()
            .filter(|terms| terms.status.gives_access())
            .max_by(|one, other| one.evidence.cmp(&other.evidence))
    }

    /// The subscription that says which plan holds at `at`. One that was to end by then has ended, whether or
    /// not the report has come, and so has the plan of one whose grace is over.
    #[must_use]
    pub fn running(&self, at: Timestamp) -> Option<&SubscriptionTerms> {
        self.known
            .values()
            .filter(|terms| terms.status.gives_access() && self.access_end(terms).is_none_or(|end| at < end))
            .max_by(|one, other| one.evidence.cmp(&other.evidence))
    }

    /// When the subscription gives its plan no more, as far as is known: it was to end, or its grace is over and
    /// the period has still not been paid.
    fn access_end(&self, terms: &SubscriptionTerms) -> Option<Timestamp> {
        let lapses = self.lapses_at(terms);
        terms.cancel_at.into_iter().chain(lapses).min()
    }

    fn lapses_at(&self, terms: &SubscriptionTerms) -> Option<Timestamp> {
        let days = terms.grace_days.filter(|_| terms.status == SubscriptionStatus::PastDue)?;
        let since = self.arrears.get(&terms.subscription)?.since()?;
        let paid = self.is_paid(&terms.subscription, terms.period.start);
        (!paid).then(|| since.plus(TimeDelta::days(i64::from(days))))
    }

    /// The plan that a subscription gives at `at`: of one that is running, else of a period that was paid and
    /// whose subscription ended early or has not been reported yet.
    #[must_use]
    pub fn plan(&self, at: Timestamp) -> Option<&PlanId> {
        let running = self.running(at).map(|terms| &terms.plan);
        running.or_else(|| self.paid_out(at).map(|term| &term.plan))
    }

    fn paid_out(&self, at: Timestamp) -> Option<&Term> {
        let ended = |id: &ProviderId| self.known.get(id).is_none_or(|known| known.has_ended(at));
        self.terms
            .iter()
            .map(|paid| &paid.term)
            .filter(|term| term.period.contains(at) && term.paid.is_some() && ended(&term.subscription))
            .max_by_key(|term| (term.period.start, term.changed_at))
    }

    /// The next month that a free plan gives: its number, since when it is due, and the month.
    ///
    /// A month is due from its start, or from when the account comes back to the free plan during it. Months
    /// that went by on another plan are not made up for.
    #[must_use]
    pub fn next_free_month(&self, paid: &PaidTerm) -> Option<(u32, Timestamp, Period)> {
        let back = self.known.values().filter(|terms| !terms.status.gives_access());
        let back = back.map(|terms| terms.ended_at.unwrap_or(terms.evidence.reported_at)).max();
        let mut from = self.free_from(paid.next?)?;
        if let Some(back) = back {
            from = from.max(self.free_from(back)?);
        }
        (paid.granted..).map_while(|number| Some((number, paid.term.month(number)?))).find_map(
            |(number, month)| {
                let due = self.free_from(month.start.max(from)).filter(|due| *due < month.end)?;
                Some((number, due, month))
            },
        )
    }

    /// The first instant from `at` on at which no subscription gives a plan.
    fn free_from(&self, at: Timestamp) -> Option<Timestamp> {
        let mut at = at;
        loop {
            if let Some(terms) = self.running(at) {
                at = self.access_end(terms)?;
            } else if let Some(term) = self.paid_out(at) {
                at = term.period.end;
            } else {
                return Some(at);
            }
        }
    }
}
