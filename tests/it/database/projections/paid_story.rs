//! What did accounts pay a month on each day? Counted plainly from what was told, for tests of figures.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, TimeDelta};
use counterfoil::domain::{
    amount::Currency,
    event::{Event, SubscriptionEvent},
    ids::ProviderId,
    subscription::SubscriptionStatus,
    time::Timestamp,
};
use sqlx::PgPool;

use super::{append, opened, reported, time};

pub(super) const CURRENCIES: [&str; 2] = ["eur", "usd"];
/// How long the story is.
const DAYS: u64 = 120;

/// Numbers that look random, and are the same in each run.
pub(super) struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()]
    }
}

/// What was told of a subscription.
#[derive(Clone)]
pub(super) struct Told {
    pub account: String,
    pub subscription: String,
    pub currency: &'static str,
    /// What it brings in a month, 0 if it is not revenue.
    pub monthly: i64,
    pub ended: bool,
    pub status: SubscriptionStatus,
    pub set_to_end: bool,
    pub at: Timestamp,
    pub recorded_at: Timestamp,
}

/// How much more or less an account pays since a day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moved {
    pub day: NaiveDate,
    pub account: String,
    pub currency: String,
    pub kind: &'static str,
    pub before: i64,
    pub after: i64,
}

pub(super) fn begin() -> Timestamp {
    time("2027-01-10T00:00:00Z")
}

pub(super) fn day(number: u64) -> NaiveDate {
    begin().to_utc().date_naive().checked_add_days(Days::new(number)).unwrap()
}

pub(super) fn event(told: &Told, status: SubscriptionStatus, monthly: i64) -> Event {
    let mut event = reported(monthly, status, told.at);
    let Event::Subscription(
        SubscriptionEvent::PlanChanged { terms, .. } | SubscriptionEvent::SubscriptionEnded { terms, .. },
    ) = &mut event
    else {
        unreachable!("it is a report")
    };
    terms.subscription = ProviderId::parse(&told.subscription).unwrap();
    terms.monthly.currency = Currency::parse(told.currency).unwrap();
    terms.cancel_at = told.set_to_end.then(|| told.at.plus(TimeDelta::days(30)));
    terms.evidence.id = ProviderId::parse(&format!("evt_{}", told.at.seconds())).unwrap();
    event
}

/// Reports on subscriptions of nine accounts in 120 days, some of them recorded long after. No two have one time.
pub(super) async fn story(pool: &PgPool, seed: u64, count: u64) -> Vec<Told> {
    let mut numbers = Numbers(seed);
    let mut all = Vec::new();
    for number in 0..9 {
        append(pool, &format!("account-{number}"), &opened(begin()), begin(), 0).await;
    }
    for number in 0..count {
        let account = numbers.below(9);
        let of = numbers.below(2);
        let thousands = numbers.below(DAYS * 86_400 / 1_000);
        let at = begin().plus(TimeDelta::seconds(i64::try_from(thousands * 1_000 + number).unwrap()));
        let monthly = numbers.one_of(&[500, 1_000, 2_900, 2_900, 7_000]);
        let status = numbers.one_of(&[
            SubscriptionStatus::Active,
            SubscriptionStatus::Active,
            SubscriptionStatus::PastDue,
            SubscriptionStatus::Paused,
            SubscriptionStatus::Unpaid,
            SubscriptionStatus::Cancelled,
        ]);
        let late = if numbers.below(4) == 0 { TimeDelta::days(35) } else { TimeDelta::zero() };
        let is_revenue = matches!(status, SubscriptionStatus::Active | SubscriptionStatus::PastDue);
        let told = Told {
            account: format!("account-{account}"),
            subscription: format!("sub_{account}_{of}_{}", numbers.below(3)),
            currency: if (account + of).is_multiple_of(5) { "eur" } else { "usd" },
            monthly: if is_revenue { monthly } else { 0 },
            ended: status == SubscriptionStatus::Cancelled,
            status,
            set_to_end: is_revenue && numbers.below(4) == 0,
            at,
            recorded_at: at.plus(late),
        };
        append(pool, &told.account, &event(&told, status, monthly), told.recorded_at, 0).await;
        all.push(told);
    }
    all
}

pub(super) fn accounts(told: &[Told]) -> BTreeSet<&str> {
    told.iter().map(|told| told.account.as_str()).collect()
}

/// What an account pays a month at the end of a day.
pub(super) fn worth(told: &[Told], account: &str, currency: &str, at_end_of: NaiveDate) -> i64 {
    worth_by(told, account, currency, |told| told.at.to_utc().date_naive() <= at_end_of)
}

/// What an account pays a month: of each subscription, by the last that was told of it by then, but for one that has
/// ended.
fn worth_by(told: &[Told], account: &str, currency: &str, by_then: impl Fn(&Told) -> bool) -> i64 {
    let known: Vec<&Told> = told.iter().filter(|told| told.account == account && by_then(told)).collect();
    let subscriptions: BTreeSet<&str> = known.iter().map(|told| told.subscription.as_str()).collect();
    let holding = |of: &str| {
        let own = known.iter().filter(|told| told.subscription == of);
        own.max_by_key(|told| (told.ended, told.at))
            .map_or(0, |told| if told.currency == currency { told.monthly } else { 0 })
    };
    subscriptions.into_iter().map(holding).sum()
}

/// Every change from one day to the next, by day, account and currency.
pub(super) fn moved(told: &[Told]) -> Vec<Moved> {
    let mut all = Vec::new();
    for account in accounts(told) {
        for currency in CURRENCIES {
            let (mut before, mut paid) = (0, false);
            for number in 0..=DAYS {
                let after = worth(told, account, currency, day(number));
                let kind = match (before, after) {
                    (before, after) if before == after => continue,
                    (0, _) if paid => "reactivation",
                    (0, _) => "new",
                    (_, 0) => "churn",
                    (before, after) if before < after => "expansion",
                    (_, _) => "contraction",
                };
                let [account, currency] = [account, currency].map(str::to_owned);
                all.push(Moved { day: day(number), account, currency, kind, before, after });
                (before, paid) = (after, true);
            }
        }
    }
    all.sort();
    all
}

/// Why an account stopped paying on a day: by what was told last that took something away.
pub(super) fn cause(told: &[Told], moved: &Moved) -> &'static str {
    let worth = |until: Timestamp| worth_by(told, &moved.account, &moved.currency, |told| told.at <= until);
    let is_of_day =
        |told: &&Told| told.account == moved.account && told.at.to_utc().date_naive() == moved.day;
    let mut today: Vec<&Told> = told.iter().filter(is_of_day).collect();
    today.sort_by_key(|told| told.at);
    let took = |told: &&&Told| worth(told.at) != worth(told.at.plus(TimeDelta::seconds(-1)));
    let last = today.iter().rfind(took).expect("something took it away");
    let earlier = told.iter().filter(|told| told.subscription == last.subscription && told.at < last.at);
    let before = earlier.max_by_key(|told| told.at);
    let waited =
        |told: &Told| matches!(told.status, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid);
    match last.status {
        SubscriptionStatus::Cancelled => {
            if before.is_some_and(|before| waited(before) && !before.set_to_end) {
                "unpaid"
            } else {
                "cancelled"
            }
        }
        SubscriptionStatus::Unpaid => "unpaid",
        SubscriptionStatus::Paused => "paused",
        other => panic!("{other:?} takes nothing away"),
    }
}

/// The subscriptions that are past due or set to end, by the last that was told of them: account, subscription,
/// currency, MRR, and which of both they are.
pub(super) fn at_risk(told: &[Told]) -> Vec<(String, String, &'static str, i64, bool, bool)> {
    let subscriptions: BTreeSet<(&str, &str)> =
        told.iter().map(|told| (told.account.as_str(), told.subscription.as_str())).collect();
    let last = |(account, of): (&str, &str)| {
        let own = told.iter().filter(|told| told.account == account && told.subscription == of);
        own.max_by_key(|told| (told.ended, told.at)).cloned()
    };
    let risk = subscriptions.into_iter().filter_map(last).filter(|last| last.monthly > 0);
    let risk = risk.map(|last| {
        let is_due = last.status == SubscriptionStatus::PastDue;
        (last.account, last.subscription, last.currency, last.monthly, is_due, last.set_to_end)
    });
    risk.filter(|(.., is_due, is_set)| *is_due || *is_set).collect()
}
