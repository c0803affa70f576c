//! What was an account worth a month, on each day?
//!
//! Of one subscription, that report holds at an instant which has the greatest evidence among those that were
//! effective by then, and one that ended it is greater than any other. So the answer follows from the set of
//! reports, in whatever order they came.
//!
//! Changes of one day are netted, per account and currency, as `ChartMogul` does it: who changes plan twice in a
//! day moved once. The figure of a day is what holds at its end, in UTC.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::time::Timestamp;

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

/// All movements that follow from the account's reports, in any order.
///
/// # Errors
/// When the account's subscriptions together are worth more than fits.
pub fn movements(reports: &[Report]) -> Result<Movements, TooLarge> {
    let mut worth = Worth::default();
    let mut movements = Movements::new();
    for report in effective(reports) {
        let day = report.effective_at.to_utc().date_naive();
        for currency in worth.set(report) {
            let sum = worth.sum(&currency)?;
            worth.note(&mut movements, currency, day, sum, report);
        }
    }
    Ok(movements)
}

/// The reports that ever held, in the order in which they took effect.
fn effective(reports: &[Report]) -> Vec<&Report> {
    let mut sorted: Vec<&Report> = reports.iter().collect();
    sorted.sort_by(|one, other| {
        (one.effective_at, &one.evidence, one.sequence).cmp(&(
            other.effective_at,
            &other.evidence,
            other.sequence,
        ))
    });
    let mut best: BTreeMap<&str, &Evidence> = BTreeMap::new();
    sorted.retain(|report| {
        let known = best.get(report.subscription.as_str());
        let holds = known.is_none_or(|known| report.evidence > **known);
        if holds {
            best.insert(&report.subscription, &report.evidence);
        }
        holds
    });
    sorted
}

/// What an account is worth while its reports take effect one after the other.
#[derive(Default)]
struct Worth<'a> {
    /// By subscription.
    holding: BTreeMap<&'a str, &'a Report>,
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

    fn sum(&self, currency: &str) -> Result<i64, TooLarge> {
        let counted = self.holding.values().filter(|report| report.currency == currency);
        counted.map(|report| report.monthly.max(0)).try_fold(0_i64, i64::checked_add).ok_or(TooLarge)
    }

    fn note(
        &mut self,
        movements: &mut Movements,
        currency: String,
        day: NaiveDate,
        sum: i64,
        report: &Report,
    ) {
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
                    sequence: report.sequence,
                    stripe_event: report.stripe_event.clone(),
                    subscription: report.subscription.clone(),
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
