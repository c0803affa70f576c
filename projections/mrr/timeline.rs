//! What was the MRR of an account on each day?
//!
//! Of the reports on a subscription that are effective at an instant, the one that was made last holds, and a report of
//! its end is later than any other. An unpaid subscription brings no revenue, whatever a report says: from the time at
//! which one of its invoices was given up until its next payment. A customer's lasting discount comes off each of its
//! subscriptions that has no discounts of its own, from its start until its end. So the answer follows from the set of
//! reports, payments and discounts, in whatever order they came.
//!
//! Changes of one day are netted, per account and currency, as `ChartMogul` does it: an account that changes its plan
//! twice in a day moved once. The figure of a day is the MRR at its end, in UTC.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::worth::{MovementCause, Touched, Worth};
use crate::domain::{
    discounts::{DiscountReport, DiscountStep, Discounts, Undiscounted},
    subscription::{StoredReport, TermsChange, in_order},
    time::Timestamp,
};

/// What one event says of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineReport {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub currency: String,
    /// In minor units; zero while the status is not revenue.
    pub monthly: i64,
    /// What the customer's discount is taken off, if one is. `None` while the status is not revenue.
    pub undiscounted: Option<Undiscounted>,
    pub effective_at: Timestamp,
    pub evidence: ReportPlace,
    pub stripe_event: Option<String>,
}

/// A report's place among those on its subscription. The order of the fields is the order of what counts more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportPlace {
    pub ended: bool,
    pub reported_at: Timestamp,
    pub rank: u8,
    pub id: String,
    pub step: Option<TermsChange>,
}

impl StoredReport for TimelineReport {
    fn is_end(&self) -> bool {
        self.evidence.ended
    }

    fn reported_at(&self) -> Timestamp {
        self.evidence.reported_at
    }

    fn rank(&self) -> u8 {
        self.evidence.rank
    }

    fn id(&self) -> &str {
        &self.evidence.id
    }

    fn step(&self) -> Option<&TermsChange> {
        self.evidence.step.as_ref()
    }
}

/// Whether a subscription is paid from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentState {
    /// An invoice waits for its money. That matters only where nothing was paid before.
    Awaited,
    /// An invoice will not be paid by itself.
    No,
    Yes,
}

impl PaymentState {
    /// As it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::No => "no",
            Self::Yes => "yes",
        }
    }

    /// `None` for a name that is none of them.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Awaited, Self::No, Self::Yes].into_iter().find(|state| state.name() == name)
    }
}

/// What one event says of whether a subscription is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidReport {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub state: PaymentState,
    pub effective_at: Timestamp,
    pub stripe_event: Option<String>,
}

/// What one event says of a customer's discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discounted {
    pub told: DiscountReport,
    /// The event's place in the account.
    pub sequence: i64,
    pub stripe_event: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// From nothing, for the first time in this currency.
    New,
    /// From nothing, again.
    Reactivation,
    Expansion,
    Contraction,
    /// To nothing.
    Churn,
}

impl MovementKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reactivation => "reactivation",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
            Self::Churn => "churn",
        }
    }

    /// `None` for a name that is none of them.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::New, Self::Reactivation, Self::Expansion, Self::Contraction, Self::Churn]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    pub(super) const fn of(before: i64, after: i64, paid_before: bool) -> Option<Self> {
        match (before, after) {
            (before, after) if before == after => None,
            (_, 0) => Some(Self::Churn),
            (0, _) if paid_before => Some(Self::Reactivation),
            (0, _) => Some(Self::New),
            (before, after) if after > before => Some(Self::Expansion),
            (_, _) => Some(Self::Contraction),
        }
    }
}

/// What changed on one day, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayMovement {
    pub kind: MovementKind,
    pub before: i64,
    pub after: i64,
    /// The last report that took effect on the day and counts in this currency.
    pub sequence: i64,
    pub stripe_event: Option<String>,
    pub subscription: String,
}

impl DayMovement {
    #[must_use]
    pub const fn change(&self) -> i64 {
        // Both are not negative, so the difference fits.
        self.after.saturating_sub(self.before)
    }
}

/// A figure is more than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// The movements of one account, by currency and day.
pub type AccountMovements = BTreeMap<(String, NaiveDate), DayMovement>;

/// All movements that follow from the account's reports, payments and discounts, in any order.
///
/// # Errors
/// When the account's subscriptions together are worth more than fits.
pub fn movements(
    reports: &[TimelineReport],
    payments: &[PaidReport],
    discounted: &[Discounted],
) -> Result<AccountMovements, TooLarge> {
    let mut discounts = Discounts::default();
    for discount in discounted {
        discounts.learn(&discount.told);
    }
    let mut worth = Worth::default();
    let mut movements = AccountMovements::new();
    for fact in facts(reports, payments, discounted) {
        let touched = match fact {
            WorthChange::Reported(report) => worth.set(report),
            WorthChange::Paid(payment) => worth.pay(payment),
            WorthChange::Discounted(Discounted { told, .. }) => {
                worth.discount(&told.customer, discounts.in_force(&told.customer, told.at))
            }
        };
        for Touched { currency, subscription } in touched {
            let sum = worth.sum(&currency)?;
            worth.note(&mut movements, currency, sum, &fact.cause(subscription));
        }
    }
    Ok(movements)
}

/// What changes what an account is worth.
#[derive(Clone, Copy)]
enum WorthChange<'a> {
    Reported(&'a TimelineReport),
    Paid(&'a PaidReport),
    Discounted(&'a Discounted),
}

impl<'a> WorthChange<'a> {
    fn cause(self, subscription: &'a str) -> MovementCause<'a> {
        let (at, sequence, stripe_event) = match self {
            Self::Reported(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Paid(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Discounted(of) => (of.told.at, of.sequence, &of.stripe_event),
        };
        let day = at.to_utc().date_naive();
        MovementCause { day, sequence, stripe_event: stripe_event.as_ref(), subscription }
    }

    /// Of one instant: what was reported, then what is not paid, then what is, then discounts.
    fn order(self) -> (Timestamp, u8) {
        match self {
            Self::Reported(report) => (report.effective_at, 0),
            Self::Paid(payment) => {
                (payment.effective_at, if payment.state == PaymentState::Yes { 2 } else { 1 })
            }
            Self::Discounted(Discounted { told, .. }) => match told.what {
                DiscountStep::Begun(_) => (told.at, 3),
                DiscountStep::Ended => (told.at, 4),
            },
        }
    }
}

/// In the order in which they took effect.
fn facts<'a>(
    reports: &'a [TimelineReport],
    payments: &'a [PaidReport],
    discounted: &'a [Discounted],
) -> Vec<WorthChange<'a>> {
    let reported = effective(reports).into_iter().map(WorthChange::Reported);
    let counted = payments.iter().filter(|payment| !is_behind(payment, payments));
    let discounted = discounted.iter().map(WorthChange::Discounted);
    let mut facts: Vec<WorthChange<'_>> =
        reported.chain(counted.map(WorthChange::Paid)).chain(discounted).collect();
    facts.sort_by_key(|fact| fact.order());
    facts
}

/// Whether an invoice waits for its money that is not the first one.
fn is_behind(payment: &PaidReport, payments: &[PaidReport]) -> bool {
    let earlier = |other: &PaidReport| {
        other.state == PaymentState::Yes
            && other.subscription == payment.subscription
            && other.effective_at < payment.effective_at
    };
    payment.state == PaymentState::Awaited && payments.iter().any(earlier)
}

/// The reports that ever held, in the order in which they took effect.
fn effective(reports: &[TimelineReport]) -> Vec<&TimelineReport> {
    let mut of_each: BTreeMap<&str, Vec<&TimelineReport>> = BTreeMap::new();
    for report in reports {
        of_each.entry(&report.subscription).or_default().push(report);
    }
    let mut sorted = Vec::with_capacity(reports.len());
    for reports in of_each.into_values() {
        sorted.extend(in_order(reports).into_iter().enumerate());
    }
    sorted.sort_by_key(|(place, report)| (report.effective_at, *place, report.sequence));
    let mut best: BTreeMap<&str, usize> = BTreeMap::new();
    sorted.retain(|(place, report)| {
        let known = best.get(report.subscription.as_str());
        let holds = known.is_none_or(|known| place > known);
        if holds {
            best.insert(&report.subscription, *place);
        }
        holds
    });
    sorted.into_iter().map(|(_, report)| report).collect()
}
