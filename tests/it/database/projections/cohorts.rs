//! Does what is left of a month's accounts agree with a plain count, and lead to its rows?

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Months, NaiveDate};
use counterfoil::{
    domain::amount::Currency,
    projections::{
        FigureInterval,
        mrr::{self, AccountPartCursor, CohortMonth, CohortRow, CohortSelection, Mrr, RetainedRow},
    },
};
use sqlx::PgPool;

use super::{
    Following,
    paid_story::{CURRENCIES, Moved, Told, accounts, day, moved, story, worth},
};
use crate::support::database::TestDatabase;

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap()
}

fn last_of_month(first: NaiveDate) -> NaiveDate {
    first.checked_add_months(Months::new(1)).unwrap().pred_opt().unwrap()
}

/// The accounts that first paid in a month.
fn cohort<'a>(moved: &'a [Moved], currency: &str, month: NaiveDate) -> Vec<&'a Moved> {
    let is_own = |of: &&Moved| of.kind == "new" && of.currency == currency && first_of_month(of.day) == month;
    moved.iter().filter(is_own).collect()
}

/// Of each account of a cohort: its first day, and what it pays at the end of its first month and of a later one.
fn left(
    told: &[Told],
    cohort: &[&Moved],
    month: NaiveDate,
    on: NaiveDate,
) -> BTreeMap<String, (NaiveDate, i64, i64)> {
    let of = |of: &&Moved| {
        let pays = |on| worth(told, &of.account, &of.currency, on);
        (of.account.clone(), (of.day, pays(last_of_month(month)), pays(on)))
    };
    cohort.iter().map(of).collect()
}

fn count(of: impl Iterator) -> i64 {
    i64::try_from(of.count()).unwrap()
}

/// All rows, two a page, by account.
async fn rows(pool: &PgPool, selection: CohortSelection<'_>) -> BTreeMap<String, (NaiveDate, i64, i64)> {
    let (mut all, mut after): (Vec<CohortRow>, Option<AccountPartCursor>) = (Vec::new(), None);
    loop {
        let page = mrr::cohort_rows(pool, selection, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        all.extend(page);
    }
    all.into_iter().map(|row| (row.account_id, (row.first_paid_on, row.mrr_at_start, row.mrr))).collect()
}

async fn agrees(pool: &PgPool, told: &[Told], moved: &[Moved], (from, until): (NaiveDate, NaiveDate)) {
    let mut seen = mrr::cohorts(pool, from, until, None).await.unwrap();
    let mut expected = Vec::new();
    for currency in CURRENCIES {
        let parsed = Currency::parse(currency).unwrap();
        let mut month = first_of_month(from);
        while last_of_month(month) < until {
            let own = cohort(moved, currency, month);
            let mut end = last_of_month(month);
            while end < until && !own.is_empty() {
                let left = left(told, &own, month, end);
                expected.push(CohortMonth {
                    month,
                    currency: currency.to_owned(),
                    last_day: end,
                    accounts_at_start: count(own.iter()),
                    accounts: count(left.values().filter(|(.., pays)| *pays > 0)),
                    mrr: left.values().map(|(.., pays)| pays).sum(),
                    kept: left.values().map(|(_, paid, pays)| paid.min(pays)).sum(),
                });
                let selection = CohortSelection { month, on: end, currency: Some(&parsed), paying: None };
                assert_eq!(rows(pool, selection).await, left, "{currency} {month} {end}");
                let paying: BTreeMap<_, _> = left.into_iter().filter(|(_, (.., pays))| *pays > 0).collect();
                let selection = CohortSelection { paying: Some(true), ..selection };
                assert_eq!(rows(pool, selection).await, paying, "{currency} {month} {end}");
                end = last_of_month(end.succ_opt().unwrap());
            }
            month = last_of_month(month).succ_opt().unwrap();
        }
    }
    let key = |of: &CohortMonth| (of.currency.clone(), of.month, of.last_day);
    seen.sort_by_key(key);
    expected.sort_by_key(key);
    assert!(expected.len() > 3, "{from}: {}", expected.len());
    assert_eq!(seen, expected, "{from} {until}");
}

#[tokio::test]
async fn cohorts_agree_with_a_plain_count_and_lead_to_their_rows() {
    for seed in 1..4 {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
        let told = story(&pool, seed, 100).await;
        following.caught_up(&pool).await;
        let moved = moved(&told);
        for days in [(day(0), day(150)), (day(25), day(90))] {
            agrees(&pool, &told, &moved, days).await;
        }
    }
}

/// The accounts that paid at the start, with what they pay at the end: they sum to the retention of the interval.
#[tokio::test]
async fn retention_is_the_sum_of_its_rows() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    let told = story(&pool, 9, 140).await;
    following.caught_up(&pool).await;
    let (from, until) = (day(10), day(125));
    let intervals = FigureInterval::Month.of_days(from, until);
    let before = mrr::changes_before(&pool, from, None).await.unwrap();
    let changes = mrr::day_changes(&pool, from, until, None).await.unwrap();
    let series = mrr::series(&before, &changes, (from, until), FigureInterval::Month);
    let moves = mrr::interval_moves(&pool, &intervals, None).await.unwrap();
    for of in mrr::retention(&series, &moves) {
        let currency = Currency::parse(&of.currency).unwrap();
        let days = (of.days.0, of.days.1.succ_opt().unwrap());
        let (mut all, mut after): (Vec<RetainedRow>, Option<AccountPartCursor>) = (Vec::new(), None);
        loop {
            let page = mrr::retained(&pool, days, Some(&currency), after.as_ref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            all.extend(page);
        }
        let eve = of.days.0.pred_opt().unwrap();
        let paid = accounts(&told).into_iter().filter(|account| worth(&told, account, &of.currency, eve) > 0);
        assert_eq!(count(paid), count(all.iter()));
        for row in &all {
            assert_eq!(row.mrr_at_end, worth(&told, &row.account_id, &of.currency, of.days.1), "{row:?}");
        }
        assert_eq!(all.iter().map(|row| row.mrr_at_start).sum::<i64>(), of.mrr_at_start);
        assert_eq!(all.iter().map(|row| row.mrr_at_end).sum::<i64>(), of.kept_and_grown);
        assert_eq!(all.iter().map(|row| row.mrr_at_end.min(row.mrr_at_start)).sum::<i64>(), of.kept);
        assert_eq!(count(all.iter().filter(|row| row.mrr_at_end > 0)), of.accounts_kept);
    }
}
