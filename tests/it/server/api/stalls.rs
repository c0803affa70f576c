//! Does what one account has in great number, or for a long time, keep the others waiting?

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use counterfoil::{
    catalog::{self, Mode},
    domain::catalog::Catalog,
    http::HttpSettings,
};
use serde_json::{Value, json};

use crate::{
    database::audit::tamper,
    support::{
        http::{Answer, Server},
        ledger::{TestLedger, account, noon},
    },
};

/// Commands in one request.
const BATCH: usize = 1_000;

/// What another account waits at most, on a slow machine whose program is not optimised. It was a minute and more.
const WAIT_MAX: Duration = Duration::from_secs(10);

async fn batch(server: &Server, items: impl Iterator<Item = Value>) -> Vec<Value> {
    let items: Vec<Value> = items.collect();
    let answer = server.post("/v1/commands", Value::Array(items)).send().await;
    let answers = answer.body.as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    assert!(answers.iter().all(|answer| answer["status"] == 201), "{}", answer.text);
    answers.into_iter().map(|mut answer| answer["body"].take()).collect()
}

/// How long another account's deduction takes.
async fn another_waits(server: &Server) -> Duration {
    let begun = Instant::now();
    let answer = server.post("/v1/accounts/other/deductions", json!({ "amount": 1 })).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    begun.elapsed()
}

/// A server whose free plan gives by the month, and carries on what is left.
async fn giving_monthly() -> Server {
    let text = include_str!("../../../../catalogs/localboxs.toml");
    let text =
        text.replace("credits = { monthly = 100 }", "credits = { monthly = 100 }\nrollover = { carry = 50 }");
    let catalog: Arc<Catalog> =
        Arc::new(catalog::parse(&text, &|_| None, Mode::Test).expect("the catalog is right"));
    let server = Server::start_on(TestLedger::selling(catalog).await, HttpSettings::default()).await;
    server.open("other").await;
    server
}

#[tokio::test]
async fn holds_that_end_together_are_noted_at_once() {
    const HOLDS: usize = 6_000;
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 1_000_000).await;
    server.open("other").await;
    for first in (0..HOLDS).step_by(BATCH) {
        let holds = (first..first + BATCH).map(|number| {
            json!({ "command": "hold", "account": "acme", "amount": 1, "expires_in_s": 60,
                    "idempotency_key": format!("hold-{number}") })
        });
        batch(&server, holds).await;
    }
    server.test.clock.set(noon().plus(TimeDelta::minutes(5)));
    let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
    let (spent, waited) = tokio::join!(spent.send(), another_waits(&server));
    assert_eq!(spent.status, 201, "{}", spent.text);
    assert!(waited < WAIT_MAX, "{waited:?}");

    // What each event says of the balance is what a replay comes to, also where it was not worked out anew.
    let events = server.test.ledger.stream(&account("acme"), 0, 100_000).await.unwrap();
    let mut state = counterfoil::domain::account::Account::Unopened;
    let mut noted = 0;
    for recorded in events {
        state.apply(&recorded.event).unwrap();
        let ends = recorded.event.name() == "HoldExpired";
        noted += usize::from(ends);
        // Each is gone through for every other one, so a part of them has to do.
        if !ends || noted % 500 == 1 {
            let expected = state.balance(recorded.recorded_at);
            assert_eq!(recorded.metadata.balance, expected, "event {}", recorded.sequence);
        }
    }
    assert_eq!(noted, HOLDS);

    // Nor does whoever replays them keep anybody waiting.
    let replay = server.get("/v1/audit/accounts/acme/replay");
    let (replayed, waited) = tokio::join!(replay.send(), another_waits(&server));
    assert_eq!(replayed.body["differences"], json!([]));
    assert_eq!(replayed.body["steps"].as_array().unwrap().len(), 2 * HOLDS + 4);
    assert!(waited < WAIT_MAX, "{waited:?}");
}

#[tokio::test]
async fn a_refund_costs_the_same_however_many_there_were() {
    const ROUNDS: usize = 8;
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 1_000_000).await;
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let key = |what: &str, number: usize| json!(format!("{what}-{round}-{number}"));
        let spent = batch(&server, (0..BATCH).map(|number| {
            json!({ "command": "deduct", "account": "acme", "amount": 1, "idempotency_key": key("spend", number) })
        }))
        .await;
        let refunds = spent.iter().enumerate().map(|(number, spent)| {
            json!({ "command": "refund", "account": "acme", "deduction_id": spent["deduction_id"], "reason": "test",
                    "idempotency_key": key("refund", number) })
        });
        let begun = Instant::now();
        batch(&server, refunds).await;
        took.push(begun.elapsed());
    }
    // The quickest of the first and of the last ones: other work beside it only makes one slower.
    let (first, last) = (took[..3].iter().min().unwrap(), took[ROUNDS - 3..].iter().min().unwrap());
    assert!(*last < *first * 2, "{took:?}");
}

#[tokio::test]
async fn months_that_were_over_before_an_account_moved_in_are_not_gone_through() {
    let server = giving_monthly().await;
    for (number, as_of) in ["1970-01-01", "1926-06-15", "0001-01-01"].into_iter().enumerate() {
        let begun = Instant::now();
        let path = format!("/v1/accounts/old_{number}/import");
        let import = json!({ "as_of": format!("{as_of}T00:00:00Z"),
                             "grants": [{ "source": "bonus", "amount": 7 }] });
        let imported = server.post(&path, import).send().await;
        assert_eq!(imported.status, 201, "{}", imported.text);
        let balance = server.balance(&format!("old_{number}")).await;
        // What was brought, and the month that goes on.
        assert_eq!(balance["available"], 107, "{as_of}: {balance}");
        let next = balance["next_credits_at"].as_str().unwrap().to_owned();
        assert!(next.as_str() > "2026-11-20" && next.as_str() < "2026-12-21", "{as_of}: {balance}");
        let waited = another_waits(&server).await;
        assert!(waited < WAIT_MAX && begun.elapsed() < WAIT_MAX, "{as_of}: {waited:?}");
    }
    // It gives on from there, on the day of the month that it had.
    server.test.clock.set(noon().plus(TimeDelta::days(30)));
    assert_eq!(
        server.balance("old_1").await["available"],
        157,
        "a month, and what is carried on of the one before"
    );
    assert!(server.balance("old_1").await["next_credits_at"].as_str().unwrap().starts_with("2027-01-15"));
}

/// Each line goes on where the one before ended, also where one command catches up with months.
#[tokio::test]
async fn a_statement_adds_up_line_by_line_over_months_that_nobody_looked_at() {
    let server = giving_monthly().await;
    server.open("acme").await;
    server.post("/v1/accounts/acme/deductions", json!({ "amount": 30 })).send().await;
    server.test.clock.set(noon().plus(TimeDelta::days(100)));
    let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send().await;
    let position = spent.body["position"].as_str().unwrap();
    let path = format!("/v1/accounts/acme/statement?order=oldest_first&min_position={position}");
    let statement = server.get(&path).send().await;
    let lines = statement.body["lines"].as_array().unwrap();
    let months = lines.iter().filter(|line| line["type"] == "allocation").count();
    assert_eq!(months, 4, "{}", statement.text);
    let number = |line: &Value, name: &str| line[name].as_i64().unwrap();
    let mut available = 0;
    for same_time in lines.chunk_by(|one, other| one["effective_at"] == other["effective_at"]) {
        // Credits that end in a moment are left out from its first line on.
        available += same_time.iter().map(|line| number(line, "amount")).sum::<i64>();
        assert_eq!(number(same_time.last().unwrap(), "available"), available, "{same_time:#?}");
    }
    assert_eq!(server.balance("acme").await["available"], available);
    let differences = |replayed: Answer| replayed.body["differences"].as_array().unwrap().len();
    let replay = || server.get("/v1/audit/accounts/acme/replay").send();
    assert_eq!(differences(replay().await), 0);
    let mistold =
        "update ledger.events set metadata = jsonb_set(metadata::jsonb, '{balance_then}', '\"7 0 0\"')::json
        where metadata->>'balance_then' is not null";
    tamper(&server.test, mistold).await;
    assert!(differences(replay().await) > 0);
    let upside_down = server.get("/v1/accounts/acme/statement?from=2026-11-21&to=2026-11-19").send().await;
    upside_down.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn absurd_amounts_of_one_account_hide_nobody_elses() {
    let server = Server::start().await;
    server.open("other").await;
    let all = i64::MAX;
    let import = json!({ "grants": [{ "source": "bonus", "amount": all }] });
    assert_eq!(server.post("/v1/accounts/acme/import", import).send().await.status, 201);
    let mut position = String::new();
    for _ in 0..3 {
        let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": all })).send().await;
        assert_eq!(spent.status, 201, "{}", spent.text);
        let refund = json!({ "deduction_id": spent.body["deduction_id"], "reason": "test" });
        let refunded = server.post("/v1/accounts/acme/refunds", refund).send().await;
        assert_eq!(refunded.status, 201, "{}", refunded.text);
        position = refunded.body["position"].as_str().unwrap().to_owned();
    }
    let day = "from=2026-11-20&to=2026-11-20";
    for path in ["/v1/accounts/acme/usage", "/v1/analytics/usage"] {
        let used = server.get(&format!("{path}?{day}&min_position={position}")).send().await;
        assert_eq!(used.status, 200, "{}", used.text);
        assert!(used.text.contains(&all.to_string()), "{}", used.text);
    }
    let verified = server.get("/v1/audit/verify").send().await;
    assert_eq!(
        (verified.status.as_u16(), &verified.body["findings"]),
        (200, &json!([])),
        "{}",
        verified.text
    );
}
