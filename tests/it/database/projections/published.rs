//! Are the figures those that others have published for the same numbers? Each example names where it is from, and says
//! where its source is wrong.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{NaiveDate, TimeDelta};
use counterfoil::{
    domain::{amount::Currency, subscription::SubscriptionStatus, time::Timestamp},
    projections::{
        FigureInterval,
        mrr::{self, Figures, Mrr, Proportion, RevenueRetention},
    },
};
use sqlx::PgPool;

use super::{
    Following, append, opened,
    paid_story::{Told, event},
    time,
};
use crate::support::database::TestDatabase;

/// So many accounts that pay one amount before a quarter, and another one after it.
type Paying = (u32, i64, i64);

struct Example {
    /// Where it is from.
    source: &'static str,
    /// Each has a currency of its own, so that all are in one database.
    currency: &'static str,
    accounts: &'static [Paying],
    /// The figures as percentages with two decimals, or as they are.
    expected: &'static [(&'static str, &'static str)],
}

const EXAMPLES: [Example; 15] = [
    // The page itself divides 800 by 12 for the yearly price of 600, which would be 13,333.33.
    Example {
        source: "W1, docs.stripe.com/billing/subscriptions/analytics/glossary",
        currency: "wwa",
        accounts: &[(100, 0, 100), (50, 0, 600 / 12)],
        expected: &[("mrr", "12500")],
    },
    Example {
        source: "W2, superleap.com/blog/sales/gross-revenue-retention",
        currency: "wwb",
        accounts: &[(1, 70_000, 70_000), (1, 16_000, 10_000), (1, 8_000, 0), (1, 6_000, 14_000)],
        expected: &[("grr", "86.00"), ("nrr", "94.00")],
    },
    Example {
        source: "W3, trychurnai.com/blog/net-revenue-retention-explained-for-founders",
        currency: "wwc",
        accounts: &[(1, 80_000, 98_000), (1, 12_000, 7_000), (1, 8_000, 0)],
        expected: &[("mrr", "105000"), ("nrr", "105.00"), ("grr", "87.00")],
    },
    Example {
        source: "W4, metrickittools.com/guides/nrr-guide",
        currency: "wwd",
        accounts: &[(1, 80_000, 95_000), (1, 12_000, 7_000), (1, 8_000, 0)],
        expected: &[("nrr", "102.00"), ("grr", "87.00")],
    },
    // Shown there as 111 %.
    Example {
        source: "W5, churnzero.com/churnopedia/net-revenue-retention",
        currency: "wwe",
        accounts: &[(1, 22_000, 30_000), (1, 5_000, 0)],
        expected: &[("nrr", "111.11")],
    },
    // The page goes on with a leak of 50 % a year, but four such quarters keep 58.6 %.
    Example {
        source: "W6, runfutureproof.com/terms/grr",
        currency: "wwf",
        accounts: &[(1, 165_000, 165_000), (1, 20_000, 10_000), (1, 15_000, 0)],
        expected: &[("grr", "87.50")],
    },
    Example {
        source: "W7, odoo/documentation, pull request 721",
        currency: "wwg",
        accounts: &[(2, 20, 0), (1, 16, 0), (16, 32, 32), (1, 32, 32)],
        expected: &[("logo churn", "15.00"), ("revenue churn", "9.33")],
    },
    Example {
        source: "W8, Brett777/Predict-Churn",
        currency: "wwh",
        accounts: &[(50, 10, 0), (450, 10, 10)],
        expected: &[("logo churn", "10.00"), ("logo churn of Stripe", "10.00")],
    },
    Example {
        source: "W8 with 100 new ones, gumroad 13: their figure is another one",
        currency: "wwi",
        accounts: &[(50, 10, 0), (450, 10, 10), (100, 0, 10)],
        expected: &[("logo churn", "10.00"), ("logo churn of Stripe", "8.33")],
    },
    Example {
        source: "W9, learn.profitwell.com, the quick ratio of a SaaS",
        currency: "wwj",
        accounts: &[(1, 0, 24_000), (1, 4_000, 0)],
        expected: &[("quick ratio", "6.00"), ("net new", "20000")],
    },
    Example {
        source: "W9, the second",
        currency: "wwk",
        accounts: &[(1, 0, 30_000), (1, 10_000, 0)],
        expected: &[("quick ratio", "3.00"), ("net new", "20000")],
    },
    Example {
        source: "W9, the third",
        currency: "wwl",
        accounts: &[(1, 0, 40_000), (1, 20_000, 0)],
        expected: &[("quick ratio", "2.00"), ("net new", "20000")],
    },
    Example {
        source: "W10, pitchkit.net",
        currency: "wwm",
        accounts: &[(1, 0, 20), (1, 10, 18), (1, 5, 0), (1, 13, 10)],
        expected: &[("quick ratio", "3.50")],
    },
    Example {
        source: "W10, theprimecalculator.com",
        currency: "wwn",
        accounts: &[(1, 0, 25), (1, 10, 20), (1, 8, 0), (1, 13, 9)],
        expected: &[("quick ratio", "2.92")],
    },
    Example {
        source: "W10, super-calc.com",
        currency: "wwo",
        accounts: &[(1, 0, 95), (1, 10, 38), (1, 18, 0), (1, 13, 6)],
        expected: &[("quick ratio", "4.92")],
    },
];

async fn tell(pool: &PgPool, account: &str, currency: &'static str, monthly: i64, at: Timestamp) {
    let ended = monthly == 0;
    let status = if ended { SubscriptionStatus::Cancelled } else { SubscriptionStatus::Active };
    let told = Told {
        account: account.to_owned(),
        subscription: format!("sub_{account}"),
        currency,
        monthly,
        ended,
        status,
        set_to_end: false,
        at,
        recorded_at: at,
    };
    append(pool, account, &event(&told, status, monthly), at, 0).await;
}

async fn pay(pool: &PgPool, example: &Example) {
    let (before, within) = (time("2026-12-15T12:00:00Z"), time("2027-02-15T12:00:00Z"));
    let mut number = 0;
    for (count, from, to) in example.accounts {
        for _ in 0..*count {
            let account = format!("{}-{number}", example.currency);
            number += 1;
            append(pool, &account, &opened(before), before, 0).await;
            if *from > 0 {
                tell(pool, &account, example.currency, *from, before).await;
            }
            if from != to {
                tell(pool, &account, example.currency, *to, within).await;
            }
        }
    }
}

fn percent(of: Proportion) -> String {
    let of = Proportion { part: of.part * 100, whole: of.whole };
    of.decimal(2).unwrap_or_else(|| "none".to_owned())
}

fn shown(name: &str, figures: &Figures, retention: &RevenueRetention) -> String {
    match name {
        "mrr" => figures.mrr.to_string(),
        "net new" => (figures.mrr - figures.mrr_at_start).to_string(),
        "nrr" => percent(retention.net_revenue()),
        "grr" => percent(retention.gross_revenue()),
        "logo churn" => percent(retention.logo_churn()),
        // As Stripe and Gumroad count: new ones are below the line, too.
        "logo churn of Stripe" => {
            let whole = retention.accounts_at_start + figures.new.count;
            percent(Proportion { part: retention.accounts_churned, whole })
        }
        "revenue churn" => percent(figures.gross_revenue_churn()),
        "quick ratio" => figures.quick_ratio().decimal(2).unwrap(),
        other => panic!("{other} is no figure"),
    }
}

#[tokio::test]
async fn figures_are_those_that_others_have_published() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    for example in &EXAMPLES {
        pay(&pool, example).await;
    }
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    following.caught_up(&pool).await;
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let (from, until) = (date("2027-01-01"), date("2027-04-01"));
    for Example { source, currency, expected, .. } in &EXAMPLES {
        let currency = Currency::parse(currency).unwrap();
        let before = mrr::changes_before(&pool, from, Some(&currency)).await.unwrap();
        let changes = mrr::day_changes(&pool, from, until, Some(&currency)).await.unwrap();
        let series = mrr::series(&before, &changes, (from, until), FigureInterval::Quarter);
        let moves = mrr::interval_moves(&pool, &[(from, until)], Some(&currency)).await.unwrap();
        let retention = mrr::retention(&series, &moves);
        for (name, expected) in *expected {
            assert_eq!(shown(name, &series[0], &retention[0]), *expected, "{name} of {source}");
        }
    }
}

/// W12, jettisheets.com/docs/essentials/cohort-analysis: four customers, with what they paid in which months.
/// W13, dataroars.com/cohort-analysis: of the 955 of a December, 389 are left in month 23. (Its second example says
/// that 20 of 124 are 18 %; they are 16.1 %.)
#[tokio::test]
async fn cohorts_are_those_that_others_have_published() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let month = |number: u32| time(&format!("2027-{number:02}-01T12:00:00Z"));
    for (account, monthly, first, last) in
        [("alice", 100, 1, 3), ("bob", 50, 1, 2), ("carol", 200, 2, 4), ("dave", 75, 3, 3)]
    {
        append(&pool, account, &opened(month(first)), month(first), 0).await;
        tell(&pool, account, "usd", monthly, month(first).plus(TimeDelta::days(3))).await;
        tell(&pool, account, "usd", 0, month(last + 1)).await;
    }
    let following = Following::start(pool.clone(), vec![Arc::new(Mrr)]).await;
    following.caught_up(&pool).await;
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let months = mrr::cohorts(&pool, date("2027-01-01"), date("2027-05-01"), None).await.unwrap();
    let mut seen: BTreeMap<NaiveDate, Vec<_>> = BTreeMap::new();
    for of in &months {
        let start = months.iter().find(|first| first.month == of.month).map_or(0, |first| first.mrr);
        let share = of.net_revenue(start).decimal(3).unwrap();
        seen.entry(of.month).or_default().push((of.accounts, of.mrr, share));
    }
    let cell = |accounts, mrr, share: &str| (accounts, mrr, share.to_owned());
    let expected = BTreeMap::from([
        (
            date("2027-01-01"),
            vec![cell(2, 150, "1.000"), cell(2, 150, "1.000"), cell(1, 100, "0.667"), cell(0, 0, "0.000")],
        ),
        (date("2027-02-01"), vec![cell(1, 200, "1.000"), cell(1, 200, "1.000"), cell(1, 200, "1.000")]),
        // The page says that 1 is left of March's in April, though Dave paid in March only.
        (date("2027-03-01"), vec![cell(1, 75, "1.000"), cell(0, 0, "0.000")]),
    ]);
    assert_eq!(seen, expected);
    let left = |accounts, accounts_at_start| {
        mrr::CohortMonth { accounts, accounts_at_start, ..months[0].clone() }.logos().decimal(3)
    };
    assert_eq!(left(389, 955).as_deref(), Some("0.407"));
    assert_eq!(left(20, 124).as_deref(), Some("0.161"));
}
