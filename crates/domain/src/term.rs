//! What does a plan give each month without an invoice?
//! It is free, or was recorded before the lines of invoices were kept.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    ids::{PlanId, ProviderId},
    months::months_between,
    time::{Period, Timestamp},
};

/// A plan's period that is free or was paid for. Its allocation is granted month by month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Term {
    pub subscription: ProviderId,
    pub plan: PlanId,
    pub period: Period,
    /// The credits for each month that begins in the period.
    pub monthly: Credits,
    /// The most that may roll over into each of those months. `None`: nothing rolls over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_max: Option<Credits>,
    /// What was paid for the whole period, and by which payment. `None`: it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<PaidBy>,
    /// Whether it ends earlier terms of the subscription at its own start.
    #[serde(default)]
    pub replaces: bool,
    /// When the plan changed, for a term that replaces another. The latest change holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// From where months are counted, if not from the term's start: after a month that begins on the 30th because its
    /// month is short, the next one begins on the 31st again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PaidBy {
    pub payment: ProviderId,
    pub cost: Money,
    /// For how many months the price is. Its cost is spread over them.
    pub months: u32,
}

impl Term {
    /// The month with this number, from 0. The last one ends with the term. `None`: there are fewer months.
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

    /// How many months the term has: none if it was replaced from its start, else at least one.
    fn months(&self) -> u32 {
        let lasts = self.period.start < self.period.end;
        if lasts { months_between(self.period.start, self.period.end).max(1) } else { 0 }
    }

    /// Whether this term ends `other` at its own start.
    /// A change does not end a period that was paid for after it.
    pub(super) fn cuts(&self, other: &Self) -> bool {
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidTerm {
    pub term: Term,
    /// The number of the first month that was not granted.
    pub granted: u32,
    /// When that month begins. `None`: all months were granted.
    pub next: Option<Timestamp>,
}

impl PaidTerm {
    pub(super) fn new(term: Term) -> Self {
        let mut paid = Self { term, granted: 0, next: None };
        paid.move_on(0);
        paid
    }

    pub(super) fn move_on(&mut self, granted: u32) {
        self.granted = granted;
        let month = self.term.month(granted).filter(|_| !self.term.monthly.is_zero());
        self.next = month.map(|month| month.start);
    }

    pub(super) fn end_at(&mut self, end: Timestamp) {
        self.term.period.end = end;
        self.move_on(self.granted);
    }

    /// When the last granted month began.
    pub(super) fn last_granted(&self) -> Option<Timestamp> {
        self.term.month(self.granted.checked_sub(1)?).map(|month| month.start)
    }

    pub(super) fn skip(&mut self, granted: &BTreeSet<Timestamp>) {
        while self.next.is_some_and(|next| granted.contains(&next)) {
            self.move_on(self.granted.saturating_add(1));
        }
    }

    pub(super) fn skip_until_after(&mut self, start: Option<Timestamp>) {
        while self.next.is_some_and(|next| start.is_some_and(|start| next <= start)) {
            self.move_on(self.granted.saturating_add(1));
        }
    }
}
