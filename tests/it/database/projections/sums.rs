//! Do the figures of revenue agree with a plain count of what was told, in any interval, whatever was late, and do they
//! lead to their rows?

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use counterfoil::{
    domain::{amount::Currency, subscription::SubscriptionStatus, time::Timestamp},
    projections::{
        FigureInterval,
        mrr::{
            self, Figures, MovementSelection, MovementSum, Mrr, PayingCursor, RevenueRetention,
            movements::MovementKind,
        },
    },
};
use sqlx::PgPool;

use super::{
    Following, append, opened,
    paid_story::{CURRENCIES, Moved, Told, accounts, begin, day, event, moved, story, worth},
    reported, time,
};
use crate::support::database::TestDatabase;

fn sum(moved: &[Moved], currency: &str, kind: &str, (start, end): (NaiveDate, NaiveDate)) -> MovementSum {
    let mut sum = MovementSum::default();
    let own = moved.iter().filter(|moved| moved.currency == currency && moved.kind == kind);
    for moved in own.filter(|moved| moved.day >= start && moved.day <= end) {
        sum.amount += moved.after - moved.before;
        sum.count += 1;
    }
    sum
}

/// How much all accounts pay, and how many do.
fn paid(told: &[Told], currency: &str, on: NaiveDate) -> (i64, i64) {
    let all: Vec<i64> =
        accounts(told).into_iter().map(|account| worth(told, account, currency, on)).collect();
    (all.iter().sum(), i64::try_from(all.iter().filter(|worth| **worth > 0).count()).unwrap())
}

fn agrees(told: &[Told], moved: &[Moved], figures: &Figures) {
    let days = (figures.start, figures.end);
    let currency = figures.currency.as_str();
    let of = |kind| sum(moved, currency, kind, days);
    let seen = [figures.new, figures.reactivation, figures.expansion, figures.contraction, figures.churn];
    let expected = ["new", "reactivation", "expansion", "contraction", "churn"].map(of);
    assert_eq!(seen, expected, "{figures:?}");
    assert_eq!((figures.mrr, figures.paying_accounts), paid(told, currency, figures.end), "{figures:?}");
    let before = figures.start.pred_opt().unwrap();
    assert_eq!(figures.mrr_at_start, paid(told, currency, before).0, "{figures:?}");
}

/// What became of the accounts of one day until another, both at their ends.
fn retained(
    told: &[Told],
    moved: &[Moved],
    currency: &str,
    first: NaiveDate,
    last: NaiveDate,
) -> RevenueRetention {
    let currency_name = currency.to_owned();
    let mut seen =
        RevenueRetention { currency: currency_name, days: (first, last), ..RevenueRetention::default() };
    let before = first.pred_opt().unwrap();
    for account in accounts(told) {
        let (start, end) = (worth(told, account, currency, before), worth(told, account, currency, last));
        seen.mrr_at_start += start;
        seen.mrr_at_end += end;
        seen.accounts_at_end += i64::from(end > 0);
        if start > 0 {
            let is_own = |moved: &&Moved| moved.account == account && moved.currency == currency;
            let churned = moved
                .iter()
                .filter(is_own)
                .any(|moved| moved.kind == "churn" && moved.day >= first && moved.day <= last);
            seen.accounts_at_start += 1;
            seen.kept_and_grown += end;
            seen.kept += end.min(start);
            seen.accounts_churned += i64::from(churned);
            seen.accounts_kept += i64::from(end > 0);
        }
    }
    seen
}

/// All accounts that paid at the end of a day, two a page.
async fn paying(
    pool: &PgPool,
    on: NaiveDate,
    currency: Option<&Currency>,
) -> BTreeMap<(String, String), i64> {
    let (mut all, mut after): (_, Option<PayingCursor>) = (BTreeMap::new(), None);
    loop {
        let page = mrr::paying(pool, on, currency, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some(last.cursor());
        for row in page {
            assert!(row.since <= on);
            assert_eq!(all.insert((row.account_id, row.currency), row.mrr), None, "each once");
        }
    }
}

/// All movements of a figure, three a page.
async fn rows(pool: &PgPool, selection: MovementSelection<'_>) -> Vec<Moved> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = mrr::movements(pool, selection, after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some(last.cursor());
        all.extend(page.into_iter().map(|row| Moved {
            day: row.day,
            account: row.account_id,
            currency: row.currency,
            kind: MovementKind::parse(&row.kind).unwrap().name(),
            before: row.before,
            after: row.after,
        }));
    }
}

async fn all_agrees(
    pool: &PgPool,
    (told, moved): (&[Told], &[Moved]),
    interval: FigureInterval,
    (from, until): (NaiveDate, NaiveDate),
    currency: Option<&Currency>,
) {
    let before = mrr::changes_before(pool, from, currency).await.unwrap();
    let changes = mrr::day_changes(pool, from, until, currency).await.unwrap();
    let series = mrr::series(&before, &changes, (from, until), interval);
    let shown = CURRENCIES.into_iter().filter(|known| currency.is_none_or(|only| only.as_str() == *known));
    let last = until.pred_opt().unwrap();
    for known in shown {
        let own: Vec<&Figures> = series.iter().filter(|figures| figures.currency == known).collect();
        assert_eq!(own.first().map(|first| first.start), Some(from));
        assert_eq!(own.last().map(|last| last.end), Some(last));
        own.into_iter().for_each(|figures| agrees(told, moved, figures));
    }
    let moves = mrr::interval_moves(pool, &interval.of_days(from, until), currency).await.unwrap();
    let retention = mrr::retention(&series, &moves);
    assert_eq!(retention.len(), series.len());
    for of in retention {
        assert_eq!(of, retained(told, moved, &of.currency, of.days.0, of.days.1));
    }
}

async fn lead_to_rows(pool: &PgPool, told: &[Told], moved: &[Moved]) {
    for known in CURRENCIES {
        let currency = Currency::parse(known).unwrap();
        for number in (0..130).step_by(13) {
            let on = day(number);
            let rows = paying(pool, on, Some(&currency)).await;
            let count = i64::try_from(rows.len()).unwrap();
            assert_eq!((rows.values().sum::<i64>(), count), paid(told, known, on), "{on}");
            for ((account, _), mrr) in rows {
                assert_eq!(mrr, worth(told, &account, known, on), "{account} {on}");
            }
        }
        for kind in ["new", "reactivation", "expansion", "contraction", "churn"] {
            let (from, until) = (day(20), day(90));
            let selection = MovementSelection {
                kind: MovementKind::parse(kind),
                currency: Some(&currency),
                ..MovementSelection::days(from, until)
            };
            let own = moved.iter().filter(|moved| (moved.currency.as_str(), moved.kind) == (known, kind));
            let own: Vec<_> = own.filter(|of| of.day >= from && of.day < until).cloned().collect();
            assert_eq!(rows(pool, selection).await, own, "{known} {kind}");
        }
    }
    let all = paying(pool, day(70), None).await.len();
    let each = CURRENCIES.map(|currency| paid(told, currency, day(70)).1);
    assert_eq!(i64::try_from(all).unwrap(), each.iter().sum::<i64>());
}

/// Sums that differ from those of the movements, and sums of nothing.
async fn wrong_sums(pool: &PgPool) -> i64 {
    let mut wrong = 0;
    for (table, unit) in [("mrr_days", "day"), ("mrr_months", "month")] {
        let of_movements = format!(
            "select shard, date_trunc('{unit}', day)::date as begin, currency, kind, sum(after - before) as change,
                count(*) as count from read.mrr_movements group by 1, 2, 3, 4"
        );
        let kept = format!("select shard, {unit}, currency, kind, change, count from read.{table}");
        let count = format!(
            "select count(*) from (({of_movements} except {kept}) union all ({kept} except {of_movements})) wrong"
        );
        wrong += sqlx::query_scalar::<_, i64>(&count).fetch_one(pool).await.unwrap();
    }
    wrong
}

#[tokio::test]
async fn figures_of_revenue_agree_with_a_plain_count() {
    for seed in 1..4 {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        // What follows takes the events in whatever steps they come.
        let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
        let told = story(&pool, seed, 160).await;
        following.caught_up(&pool).await;
        let moved = moved(&told);
        for interval in [
            FigureInterval::Day,
            FigureInterval::Week,
            FigureInterval::Month,
            FigureInterval::Quarter,
            FigureInterval::Year,
        ] {
            for days in [(day(0), day(125)), (day(31), day(77)), (day(50), day(51))] {
                for currency in [None, Some("eur"), Some("usd")] {
                    let currency = currency.map(|known| Currency::parse(known).unwrap());
                    all_agrees(&pool, (&told, &moved), interval, days, currency.as_ref()).await;
                }
            }
        }
        lead_to_rows(&pool, &told, &moved).await;
        assert_eq!(wrong_sums(&pool).await, 0);
        following.assert_rebuild_finds_the_same().await;
    }
}

/// A movement that is not one any more leaves no sum behind, and a plan that is reported again changes nothing.
#[tokio::test]
async fn a_day_that_has_no_movement_any_more_has_no_sum() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    let told = |hours: i64| Told {
        account: "acme".to_owned(),
        subscription: "sub_1".to_owned(),
        currency: "usd",
        monthly: 1_000,
        ended: false,
        status: SubscriptionStatus::Active,
        set_to_end: false,
        at: begin().plus(chrono::TimeDelta::hours(hours)),
        recorded_at: begin(),
    };
    append(&pool, "acme", &opened(begin()), begin(), 0).await;
    let active = SubscriptionStatus::Active;
    append(&pool, "acme", &event(&told(0), active, 1_000), begin(), 0).await;
    append(&pool, "acme", &event(&told(24), active, 2_000), begin(), 0).await;
    following.caught_up(&pool).await;
    let sums = async || -> Vec<(NaiveDate, String)> {
        let days = "select day, kind from read.mrr_days order by day";
        sqlx::query_as(days).fetch_all(&pool).await.unwrap()
    };
    assert_eq!(sums().await, [(day(0), "new".to_owned()), (day(1), "expansion".to_owned())]);
    // It was so already the day before.
    append(&pool, "acme", &event(&told(1), active, 2_000), begin(), 0).await;
    append(&pool, "acme", &event(&told(48), active, 2_000), begin(), 0).await;
    following.caught_up(&pool).await;
    assert_eq!(sums().await, [(day(0), "new".to_owned())]);
    assert_eq!(wrong_sums(&pool).await, 0);
    following.assert_rebuild_finds_the_same().await;
}

/// A balance is restated by what was late of an earlier day, too; a list of movements is not.
#[tokio::test]
async fn figures_of_revenue_say_since_when_they_are_restated() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    let (june, late) = (time("2025-06-10T12:00:00Z"), time("2025-08-03T09:00:00Z"));
    append(&pool, "acme", &opened(june), june, 0).await;
    append(&pool, "acme", &reported(1_000, SubscriptionStatus::Active, june), june, 0).await;
    following.caught_up(&pool).await;
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let restated = async |from: &str, until: &str, currency: &str| -> [Option<Timestamp>; 2] {
        let (from, until, currency) = (date(from), date(until), Currency::parse(currency).unwrap());
        let selection =
            MovementSelection { currency: Some(&currency), ..MovementSelection::days(from, until) };
        [
            mrr::restated_balances(&pool, from, until, Some(&currency)).await.unwrap(),
            mrr::restated_days(&pool, selection).await.unwrap(),
        ]
    };
    assert_eq!(restated("2025-06-01", "2025-07-01", "usd").await, [None, None]);
    let may = time("2025-05-20T12:00:00Z");
    append(&pool, "acme", &reported(700, SubscriptionStatus::Active, may), late, 0).await;
    following.caught_up(&pool).await;
    assert_eq!(restated("2025-05-01", "2025-06-01", "usd").await, [Some(late), Some(late)]);
    // June's own movement is of another kind now.
    assert_eq!(restated("2025-06-01", "2025-07-01", "usd").await, [Some(late), Some(late)]);
    assert_eq!(restated("2025-07-01", "2025-08-01", "usd").await, [Some(late), None]);
    assert_eq!(restated("2025-07-01", "2025-08-01", "eur").await, [None, None]);
    // Nobody had read anything of September when it happened.
    assert_eq!(restated("2025-09-01", "2025-10-01", "usd").await, [None, None]);
    assert_eq!(restated("2025-04-01", "2025-05-01", "usd").await, [None, None]);
    following.assert_rebuild_finds_the_same().await;
}
