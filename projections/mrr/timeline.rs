//! What was an account worth a month, on each day?
//!
//! Of one subscription, that report holds at an instant which was said last among those that were effective by then, and
//! one that ended it is later than any other. What is not paid for is no revenue, whatever a report says: from the time on
//! at which an invoice of the subscription was given up, until the next payment for it. So the answer follows from the set
//! of reports and payments, in whatever order they came.
//!
//! Changes of one day are netted, per account and currency, as `ChartMogul` does it: who changes plan twice in a
//! day moved once. The figure of a day is what holds at its end, in UTC.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::domain::{
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

/// What one event says of whether a subscription is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    /// `false`: an invoice of it is not paid, and will not be by itself.
    pub paid: bool,
    pub effective_at: Timestamp,
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

/// All movements that follow from the account's reports and payments, in any order.
///
/// # Errors
/// When the account's subscriptions together are worth more than fits.
pub fn movements(reports: &[Report], payments: &[Payment]) -> Result<Movements, TooLarge> {
    let mut worth = Worth::default();
    let mut movements = Movements::new();
    for fact in facts(reports, payments) {
        let cause = fact.cause();
        let touched = match fact {
            Fact::Reported(report) => worth.set(report),
            Fact::Paid(payment) => worth.pay(payment),
        };
        for currency in touched {
            let sum = worth.sum(&currency)?;
            worth.note(&mut movements, currency, sum, &cause);
        }
    }
    Ok(movements)
}

/// What changes what an account is worth.
#[derive(Clone, Copy)]
enum Fact<'a> {
    Reported(&'a Report),
    Paid(&'a Payment),
}

/// The event that a movement rests on.
struct Cause<'a> {
    day: NaiveDate,
    sequence: i64,
    stripe_event: Option<&'a String>,
    subscription: &'a str,
}

impl<'a> Fact<'a> {
    fn cause(self) -> Cause<'a> {
        let (at, sequence, stripe_event, subscription) = match self {
            Self::Reported(of) => (of.effective_at, of.sequence, &of.stripe_event, &of.subscription),
            Self::Paid(of) => (of.effective_at, of.sequence, &of.stripe_event, &of.subscription),
        };
        let day = at.to_utc().date_naive();
        Cause { day, sequence, stripe_event: stripe_event.as_ref(), subscription }
    }

    /// Of one instant: what was reported, then what is not paid, then what is.
    fn order(self) -> (Timestamp, u8) {
        match self {
            Self::Reported(report) => (report.effective_at, 0),
            Self::Paid(payment) => (payment.effective_at, if payment.paid { 2 } else { 1 }),
        }
    }
}

/// In the order in which they took effect.
fn facts<'a>(reports: &'a [Report], payments: &'a [Payment]) -> Vec<Fact<'a>> {
    let reported = effective(reports).into_iter().map(Fact::Reported);
    let mut facts: Vec<Fact<'_>> = reported.chain(payments.iter().map(Fact::Paid)).collect();
    facts.sort_by_key(|fact| fact.order());
    facts
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
    fn set(&mut self, report: &'a Report) -> Vec<String> {
        let earlier = self.holding.insert(&report.subscription, report);
        let mut touched = vec![report.currency.clone()];
        touched.extend(
            earlier
                .map(|earlier| &earlier.currency)
                .filter(|currency| **currency != report.currency)
                .cloned(),
        );
        touched
    }

    /// Notes whether a subscription is paid for, and says which currency that touches.
    fn pay(&mut self, payment: &'a Payment) -> Vec<String> {
        let subscription = payment.subscription.as_str();
        let changed =
            if payment.paid { self.unpaid.remove(subscription) } else { self.unpaid.insert(subscription) };
        let report = self.holding.get(subscription).filter(|_| changed);
        report.map(|report| report.currency.clone()).into_iter().collect()
    }

    fn sum(&self, currency: &str) -> Result<i64, TooLarge> {
        let paid = |report: &&&Report| !self.unpaid.contains(report.subscription.as_str());
        let counted = self.holding.values().filter(paid).filter(|report| report.currency == currency);
        counted.map(|report| report.monthly.max(0)).try_fold(0_i64, i64::checked_add).ok_or(TooLarge)
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
