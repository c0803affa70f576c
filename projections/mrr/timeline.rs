//! What was an account worth a month, on each day?
//!
//! Of one subscription, that report holds at an instant which was said last among those that were effective by then, and
//! one that ended it is later than any other. What is not paid for is no revenue, whatever a report says: from the time on
//! at which an invoice of the subscription was given up, until the next payment for it. What a customer has taken off for ever
//! comes off each of its subscriptions that has no discounts of its own, from the time on at which it began until it ends. So the
//! answer follows from the set of reports, payments and discounts, in whatever order they came.
//!
//! Changes of one day are netted, per account and currency, as `ChartMogul` does it: who changes plan twice in a
//! day moved once. The figure of a day is what holds at its end, in UTC.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::domain::{
    discounts::{DiscountStep, DiscountTold, Discounts, TakenOff, Undiscounted},
    names::ProviderId,
    subscription::{Step, Told, in_order},
    time::Timestamp,
};

/// What one event says of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub currency: String,
    /// In minor units; zero while the status is not revenue.
    pub monthly: i64,
    /// What the customer's discount is taken off, if one is. `None` while the status is not revenue.
    pub undiscounted: Option<Undiscounted>,
    pub effective_at: Timestamp,
    pub evidence: Evidence,
    pub stripe_event: Option<String>,
}

/// A report's place among those on its subscription. The order of the fields is the order of what counts more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    pub ended: bool,
    pub reported_at: Timestamp,
    pub rank: u8,
    pub id: String,
    pub step: Option<Step>,
}

impl Report {
    fn touched(&self) -> Touched<'_> {
        Touched { currency: self.currency.clone(), subscription: &self.subscription }
    }
}

impl Told for Report {
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

    fn step(&self) -> Option<&Step> {
        self.evidence.step.as_ref()
    }
}

/// Whether a subscription is paid from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Paid {
    /// An invoice waits for its money. That matters only where nothing was paid before.
    Awaited,
    /// An invoice will not be paid by itself.
    No,
    Yes,
}

impl Paid {
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
pub struct Payment {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub state: Paid,
    pub effective_at: Timestamp,
    pub stripe_event: Option<String>,
}

/// What one event says of a customer's discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discounted {
    pub told: DiscountTold,
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

    const fn of(before: i64, after: i64, paid_before: bool) -> Option<Self> {
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
pub struct Movement {
    pub kind: MovementKind,
    pub before: i64,
    pub after: i64,
    /// The last report that took effect on the day and counts in this currency.
    pub sequence: i64,
    pub stripe_event: Option<String>,
    pub subscription: String,
}

impl Movement {
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
pub type Movements = BTreeMap<(String, NaiveDate), Movement>;

/// All movements that follow from the account's reports, payments and discounts, in any order.
///
/// # Errors
/// When the account's subscriptions together are worth more than fits.
pub fn movements(
    reports: &[Report],
    payments: &[Payment],
    discounted: &[Discounted],
) -> Result<Movements, TooLarge> {
    let mut discounts = Discounts::default();
    for discount in discounted {
        discounts.learn(&discount.told);
    }
    let mut worth = Worth::default();
    let mut movements = Movements::new();
    for fact in facts(reports, payments, discounted) {
        let touched = match fact {
            Fact::Reported(report) => worth.set(report),
            Fact::Paid(payment) => worth.pay(payment),
            Fact::Discounted(Discounted { told, .. }) => {
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
enum Fact<'a> {
    Reported(&'a Report),
    Paid(&'a Payment),
    Discounted(&'a Discounted),
}

/// A currency in which something may have changed, and by which subscription.
struct Touched<'a> {
    currency: String,
    subscription: &'a str,
}

/// The event that a movement rests on.
struct Cause<'a> {
    day: NaiveDate,
    sequence: i64,
    stripe_event: Option<&'a String>,
    subscription: &'a str,
}

impl<'a> Fact<'a> {
    fn cause(self, subscription: &'a str) -> Cause<'a> {
        let (at, sequence, stripe_event) = match self {
            Self::Reported(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Paid(of) => (of.effective_at, of.sequence, &of.stripe_event),
            Self::Discounted(of) => (of.told.at, of.sequence, &of.stripe_event),
        };
        let day = at.to_utc().date_naive();
        Cause { day, sequence, stripe_event: stripe_event.as_ref(), subscription }
    }

    /// Of one instant: what was reported, then what is not paid, then what is, then discounts.
    fn order(self) -> (Timestamp, u8) {
        match self {
            Self::Reported(report) => (report.effective_at, 0),
            Self::Paid(payment) => (payment.effective_at, if payment.state == Paid::Yes { 2 } else { 1 }),
            Self::Discounted(Discounted { told, .. }) => match told.what {
                DiscountStep::Begun(_) => (told.at, 3),
                DiscountStep::Ended => (told.at, 4),
            },
        }
    }
}

/// In the order in which they took effect.
fn facts<'a>(reports: &'a [Report], payments: &'a [Payment], discounted: &'a [Discounted]) -> Vec<Fact<'a>> {
    let reported = effective(reports).into_iter().map(Fact::Reported);
    let counted = payments.iter().filter(|payment| !is_behind(payment, payments));
    let discounted = discounted.iter().map(Fact::Discounted);
    let mut facts: Vec<Fact<'_>> = reported.chain(counted.map(Fact::Paid)).chain(discounted).collect();
    facts.sort_by_key(|fact| fact.order());
    facts
}

/// Whether an invoice waits for its money that is not the first one.
fn is_behind(payment: &Payment, payments: &[Payment]) -> bool {
    let earlier = |other: &Payment| {
        other.state == Paid::Yes
            && other.subscription == payment.subscription
            && other.effective_at < payment.effective_at
    };
    payment.state == Paid::Awaited && payments.iter().any(earlier)
}

/// The reports that ever held, in the order in which they took effect.
fn effective(reports: &[Report]) -> Vec<&Report> {
    let mut of_each: BTreeMap<&str, Vec<&Report>> = BTreeMap::new();
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

/// What an account is worth while its reports take effect one after the other.
#[derive(Default)]
struct Worth<'a> {
    /// By subscription.
    holding: BTreeMap<&'a str, &'a Report>,
    /// Those that are not paid for.
    unpaid: BTreeSet<&'a str>,
    /// By customer: what it has taken off.
    off: BTreeMap<&'a ProviderId, &'a TakenOff>,
    /// By currency: the last day on which something took effect.
    days: BTreeMap<String, Latest>,
}

#[derive(Clone, Copy)]
struct Latest {
    day: NaiveDate,
    /// At the start of the day, and now.
    before: i64,
    after: i64,
    /// Whether there was anything before the day began.
    paid_before: bool,
}

impl<'a> Worth<'a> {
    /// Lets a report hold, and says which currencies it touches.
    fn set(&mut self, report: &'a Report) -> Vec<Touched<'a>> {
        let earlier = self.holding.insert(&report.subscription, report);
        let earlier = earlier.filter(|earlier| earlier.currency != report.currency);
        std::iter::once(report).chain(earlier).map(Report::touched).collect()
    }

    /// Notes whether a subscription is paid for, and says which currency that touches.
    fn pay(&mut self, payment: &'a Payment) -> Vec<Touched<'a>> {
        let subscription = payment.subscription.as_str();
        let changed = match payment.state {
            Paid::Yes => self.unpaid.remove(subscription),
            Paid::Awaited | Paid::No => self.unpaid.insert(subscription),
        };
        let report = self.holding.get(subscription).filter(|_| changed);
        report.copied().map(Report::touched).into_iter().collect()
    }

    /// Notes what a customer has taken off, and says which currencies that touches.
    fn discount(&mut self, customer: &'a ProviderId, off: Option<&'a TakenOff>) -> Vec<Touched<'a>> {
        match off {
            Some(off) => self.off.insert(customer, off),
            None => self.off.remove(customer),
        };
        let of_customer = |report: &&Report| {
            report.undiscounted.as_ref().is_some_and(|undiscounted| undiscounted.customer == *customer)
        };
        self.holding.values().copied().filter(of_customer).map(Report::touched).collect()
    }

    /// What a subscription brings, less what its customer has taken off.
    fn brings(&self, report: &Report) -> i64 {
        let less = report.undiscounted.as_ref().and_then(|undiscounted| {
            undiscounted.less(self.off.get(&undiscounted.customer)?, &report.currency)
        });
        less.unwrap_or(report.monthly).max(0)
    }

    fn sum(&self, currency: &str) -> Result<i64, TooLarge> {
        let paid = |report: &&&Report| !self.unpaid.contains(report.subscription.as_str());
        let counted = self.holding.values().filter(paid).filter(|report| report.currency == currency);
        counted.map(|report| self.brings(report)).try_fold(0_i64, i64::checked_add).ok_or(TooLarge)
    }

    fn note(&mut self, movements: &mut Movements, currency: String, sum: i64, cause: &Cause<'_>) {
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
                let movement = Movement {
                    kind,
                    before: today.before,
                    after: today.after,
                    sequence: cause.sequence,
                    stripe_event: cause.stripe_event.cloned(),
                    subscription: cause.subscription.to_owned(),
                };
                movements.insert(key, movement);
            }
            // Up and down again on one day is no movement.
            None => {
                movements.remove(&key);
            }
        }
    }
}
