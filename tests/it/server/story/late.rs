//! A webhook that comes late changes the day on which it was effective, and is listed as a restatement.

use chrono::{NaiveDate, TimeDelta};
use counterfoil::{
    domain::time::Timestamp,
    projections::mrr::{RestatementRow, restatements},
};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use serde_json::{Value, json};

use super::ending::{FROM, TO};
use crate::support::{
    documents::{ADA, BOB, SHAPES, event, story},
    in_process::Program,
    ledger::noon,
};

/// Each is delivered when it was made, or so many days later.
async fn told(shape: &str, late: &[(&str, i64)]) -> Program {
    let delay = |file: &str| late.iter().find(|(one, _)| *one == file).map_or(0, |(_, days)| *days);
    let deliveries = story(shape).into_iter().map(|file| (TimeDelta::days(delay(&file)), file));
    delivered(shape, deliveries.collect()).await
}

/// Each is delivered so long after it was made, while time goes on.
async fn delivered(shape: &str, deliveries: Vec<(TimeDelta, String)>) -> Program {
    let made = |file: &str| event(shape, file).created;
    let mut deliveries: Vec<(Timestamp, String)> =
        deliveries.into_iter().map(|(delay, file)| (made(&file).plus(delay), file)).collect();
    // Stable, so that those of one second stay in their order.
    deliveries.sort_by_key(|(at, _)| *at);
    let program = Program::start(deliveries[0].0).await;
    for (at, file) in deliveries {
        program.set_time(at);
        program.deliver(shape, &file).await;
        program.handled().await;
    }
    program
}

async fn restated(program: &Program) -> Vec<RestatementRow> {
    let [from, to] = [FROM, TO].map(|day| day.parse::<NaiveDate>().expect("a day"));
    restatements(&program.server.test.database.pool(), from, to, None, 1_000).await.expect("an answer")
}

/// What the API says, one restatement a page.
async fn served(program: &Program) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/analytics/restatements?from={FROM}&to={TO}&limit=1{next}");
        let page = program.server.get(&path).send().await.body;
        all.extend(page["restatements"].as_array().expect("a page").iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        next = format!("&cursor={cursor}");
    }
}

fn opened(shape: &str) -> [Timestamp; 2] {
    ["customer.created.json", "customer.created.bob.json"].map(|file| event(shape, file).created)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_time_restates_nothing() {
    for shape in SHAPES {
        let program = told(shape, &[]).await;
        program.ending().await.assert_is_the_one(shape, opened(shape));
        assert_eq!(restated(&program).await, [], "{shape}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_days_later_restates_its_own_day_and_changes_nothing_else() {
    const UPGRADE: &str = "customer.subscription.updated.plan_upgrade.json";
    const END: &str = "customer.subscription.deleted.bob.json";
    for shape in SHAPES {
        let program = told(shape, &[(UPGRADE, 2), (END, 3)]).await;
        program.ending().await.assert_is_the_one(shape, opened(shape));
        let line = |row: RestatementRow| {
            let kind = |kind: Option<String>| kind.unwrap_or_else(|| "nothing".to_owned());
            let (before, after) = (kind(row.kind_before), kind(row.kind_after));
            (
                row.account_id,
                format!("{} of {}", row.recorded_at.date_naive(), row.day),
                format!("{before} {} to {after} {}", row.change_before, row.change_after),
                row.stripe_event.expect("Stripe said so"),
            )
        };
        let expected = |account: &str, days: &str, change: &str, file: &str| {
            (account.to_owned(), days.to_owned(), change.to_owned(), event(shape, file).id.to_string())
        };
        let restated: Vec<_> = restated(&program).await.into_iter().map(line).collect();
        let upgraded = expected(ADA, "2025-06-13 of 2025-06-11", "nothing 0 to expansion 1000", UPGRADE);
        let ended = expected(BOB, "2025-07-22 of 2025-07-19", "nothing 0 to churn -2999", END);
        assert_eq!(restated, [upgraded, ended], "{shape}");
        let served = served(&program).await;
        let first = event(shape, UPGRADE).id.to_string();
        assert_eq!(served.len(), 2, "{served:?}");
        assert_eq!((&served[0]["day"], &served[0]["before"]), (&json!("2025-06-11"), &Value::Null));
        assert_eq!(served[0]["after"], json!({ "type": "expansion", "amount": 1000 }));
        assert_eq!(served[0]["stripe_event"], json!(first));
        assert_eq!(served[1]["after"], json!({ "type": "churn", "amount": -2999 }));
        program.assert_clean().await;
    }
}

/// As Stripe delivers to an endpoint that is down now and then: each twice, and each up to three days late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_delivered_twice_and_days_late_by_chance_ends_the_same() {
    const RETRIED_S_MAX: i64 = 3 * 24 * 3_600;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    for shape in SHAPES {
        for _ in 0..3 {
            let files = story(shape);
            let count = 2 * files.len();
            let delays =
                prop::collection::vec(0..RETRIED_S_MAX, count).new_tree(&mut runner).expect("delays");
            let delays = delays.current().into_iter().map(TimeDelta::seconds);
            let program = delivered(shape, delays.zip(files.iter().chain(&files).cloned()).collect()).await;
            let ending = program.ending().await;
            let opened = [ADA, BOB].map(|id| ending.accounts[id].account["opened_at"].as_str());
            let opened = opened.map(|at| Timestamp::parse(at.expect("text")).expect("a time"));
            ending.assert_is_the_one(shape, opened);
            program.assert_clean().await;
        }
    }
}

/// All of it, long after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_everything_restates_every_day_that_moved() {
    for shape in SHAPES {
        let program = Program::start(noon()).await;
        for file in story(shape).iter().rev() {
            program.deliver(shape, file).await;
        }
        program.handled().await;
        let ending = program.ending().await;
        let restated = restated(&program).await;
        assert!(restated.iter().all(|row| row.recorded_at == noon().to_utc()), "{shape}");
        for movement in &ending.movements {
            let last = restated.iter().rfind(|row| {
                movement["account"] == row.account_id.as_str() && movement["day"] == row.day.to_string()
            });
            let change =
                movement["after"].as_i64().expect("whole") - movement["before"].as_i64().expect("whole");
            assert_eq!(last.map(|row| row.change_after), Some(change), "{shape}: {movement}");
        }
    }
}
