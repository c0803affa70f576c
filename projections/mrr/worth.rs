//! What is the MRR of an account while reports, payments and discounts take effect, one after the other?

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    churn::{ChurnCause, RevenueStanding, SubscriptionAtRisk},
    movements::{AccountMovements, DayMovement, MovementKind, TooLarge},
    reports::{PaidReport, PaymentState, TimelineReport},
};
use crate::domain::{discounts::TakenOff, ids::ProviderId};

/// A currency in which something may have changed, and the subscription that changed.
pub(super) struct Touched<'a> {
    pub(super) currency: String,
    pub(super) subscription: &'a str,
}

/// The event that a movement is attributed to.
pub(super) struct MovementCause<'a> {
    pub(super) day: NaiveDate,
    pub(super) sequence: i64,
    pub(super) stripe_event: Option<&'a String>,
    pub(super) subscription: &'a str,
    /// Why it took the last of the revenue, if it did.
    pub(super) churn: ChurnCause,
}

impl TimelineReport {
    fn touched(&self) -> Touched<'_> {
        Touched { currency: self.currency.clone(), subscription: &self.subscription }
    }
}

/// The revenue of an account at a time, by what has taken effect.
#[derive(Default)]
pub(super) struct Worth<'a> {
    /// The report that holds, by subscription.
    holding: BTreeMap<&'a str, &'a TimelineReport>,
    /// The subscriptions that are not paid.
    unpaid: BTreeSet<&'a str>,
    /// The discount that holds, by customer.
    off: BTreeMap<&'a ProviderId, &'a TakenOff>,
    /// The last day with a change, by currency.
    days: BTreeMap<String, Latest>,
}

#[derive(Clone, Copy)]
struct Latest {
    day: NaiveDate,
    /// The MRR at the start of the day, and now.
    before: i64,
    after: i64,
    /// Whether there was revenue at any time before the day.
    paid_before: bool,
}

impl<'a> Worth<'a> {
    /// The report on a subscription that holds.
    pub(super) fn holding(&self, subscription: &str) -> Option<&'a TimelineReport> {
        self.holding.get(subscription).copied()
    }

    /// The subscriptions that are past due, or set to end, and still count.
    pub(super) fn at_risk(&self) -> Vec<SubscriptionAtRisk> {
        let counted =
            self.holding.values().filter(|report| !self.unpaid.contains(report.subscription.as_str()));
        let risk = counted.map(|report| SubscriptionAtRisk {
            subscription: report.subscription.clone(),
            currency: report.currency.clone(),
            mrr: self.brings(report),
            past_due: report.standing == RevenueStanding::PastDue,
            cancel_at: report.cancel_at,
            since: report.effective_at,
        });
        risk.filter(|risk| risk.mrr > 0 && (risk.past_due || risk.cancel_at.is_some())).collect()
    }

    /// Makes a report hold, and returns the currencies in which something may have changed.
    pub(super) fn set(&mut self, report: &'a TimelineReport) -> Vec<Touched<'a>> {
        let earlier = self.holding.insert(&report.subscription, report);
        let earlier = earlier.filter(|earlier| earlier.currency != report.currency);
        std::iter::once(report).chain(earlier).map(TimelineReport::touched).collect()
    }

    /// Sets whether a subscription is paid, and returns the currencies in which something may have changed.
    pub(super) fn pay(&mut self, payment: &'a PaidReport) -> Vec<Touched<'a>> {
        let subscription = payment.subscription.as_str();
        let changed = match payment.state {
            PaymentState::Yes => self.unpaid.remove(subscription),
            PaymentState::Awaited | PaymentState::No => self.unpaid.insert(subscription),
        };
        let report = self.holding.get(subscription).filter(|_| changed);
        report.copied().map(TimelineReport::touched).into_iter().collect()
    }

    /// Sets a customer's discount, and returns the currencies in which something may have changed.
    pub(super) fn discount(
        &mut self,
        customer: &'a ProviderId,
        off: Option<&'a TakenOff>,
    ) -> Vec<Touched<'a>> {
        match off {
            Some(off) => self.off.insert(customer, off),
            None => self.off.remove(customer),
        };
        let of_customer = |report: &&TimelineReport| {
            report.undiscounted.as_ref().is_some_and(|undiscounted| undiscounted.customer == *customer)
        };
        self.holding.values().copied().filter(of_customer).map(TimelineReport::touched).collect()
    }

    /// The revenue of a subscription after its customer's discount.
    fn brings(&self, report: &TimelineReport) -> i64 {
        let less = report.undiscounted.as_ref().and_then(|undiscounted| {
            undiscounted.less(self.off.get(&undiscounted.customer)?, &report.currency)
        });
        less.unwrap_or(report.monthly).max(0)
    }

    pub(super) fn sum(&self, currency: &str) -> Result<i64, TooLarge> {
        let paid = |report: &&&TimelineReport| !self.unpaid.contains(report.subscription.as_str());
        let counted = self.holding.values().filter(paid).filter(|report| report.currency == currency);
        counted.map(|report| self.brings(report)).try_fold(0_i64, i64::checked_add).ok_or(TooLarge)
    }

    pub(super) fn note(
        &mut self,
        movements: &mut AccountMovements,
        currency: String,
        sum: i64,
        cause: &MovementCause<'_>,
    ) {
        let day = cause.day;
        let mut today = match self.days.get(&currency).copied() {
            Some(known) if known.day == day => known,
            Some(known) => Latest {
                day,
                before: known.after,
                after: known.after,
                paid_before: known.paid_before || known.after > 0,
            },
            None => Latest { day, before: 0, after: 0, paid_before: false },
        };
        let changed = today.after != sum;
        today.after = sum;
        self.days.insert(currency.clone(), today);
        if !changed {
            return;
        }
        let key = (currency, day);
        match MovementKind::of(today.before, today.after, today.paid_before) {
            Some(kind) => {
                let movement = DayMovement {
                    kind,
                    before: today.before,
                    after: today.after,
                    sequence: cause.sequence,
                    stripe_event: cause.stripe_event.cloned(),
                    subscription: cause.subscription.to_owned(),
                    cause: (kind == MovementKind::Churn).then_some(cause.churn),
                };
                movements.insert(key, movement);
            }
            // A change that is undone on the same day is not a movement.
            None => {
                movements.remove(&key);
            }
        }
    }
}
