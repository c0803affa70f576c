//! What is answered while this machine's clock is before what was recorded?

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::{
    clock::Clock,
    domain::time::Timestamp,
    http::HttpSettings,
    ledger::{ExecuteError, Ledger},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{
    heard::Heard,
    http::{Server, router, serve},
    ledger::{deduct, music, noon},
};

const DAY_S: i64 = 86_400;
const BEHIND: &str = "THE CLOCK IS BEHIND what was recorded";

fn earlier(seconds: i64) -> Timestamp {
    noon().plus(TimeDelta::seconds(-seconds))
}

#[tokio::test]
async fn what_may_be_the_clocks_fault_is_not_told_as_a_refusal() {
    let server = Server::start().await;
    server.open("acme").await;
    server.test.clock.set(earlier(DAY_S));
    let paths = [
        // The credits of today are not there yesterday.
        ("/v1/accounts/acme/deductions", json!({ "amount": 1 })),
        ("/v1/accounts/acme/holds", json!({ "amount": 1, "expires_in_s": 60 })),
        ("/v1/accounts/acme/generations", json!({ "type": "stem_separation", "generation_id": "gen_1" })),
        ("/v1/accounts/acme/quote", json!({ "type": "stem_separation" })),
    ];
    for (path, body) in &paths {
        let answer = server.post(path, body.clone()).send().await;
        answer.is_problem(503, "clock_behind");
        assert_eq!(
            (&answer.body["behind_s"], answer.header("retry-after")),
            (&json!(DAY_S), Some("1")),
            "{path}"
        );
    }
    let batch =
        json!([{ "command": "deduct", "account": "acme", "amount": 1, "idempotency_key": "in-a-batch" }]);
    let batch = server.post("/v1/commands", batch).send().await;
    assert!(batch.text.contains("clock_behind") && !batch.text.contains("insufficient"), "{}", batch.text);
    // What no clock changes is refused as always, and what is allowed is done.
    server
        .post("/v1/accounts/nobody/deductions", json!({ "amount": 1 }))
        .send()
        .await
        .is_problem(404, "account_not_found");
    let opened = server.open("other").await;
    assert_eq!(opened.status, 201, "{}", opened.text);

    server.test.clock.set(noon());
    assert_eq!(
        server.post(paths[0].0, paths[0].1.clone()).send().await.status,
        201,
        "nothing was kept of it"
    );
    let too_much = server.post(paths[0].0, json!({ "amount": 1_000 })).send().await;
    too_much.is_problem(402, "insufficient_credits");
}

#[tokio::test]
async fn clocks_differ_by_a_little_and_are_said_when_it_is_more() {
    let heard = Heard::begin();
    let server = Server::start().await;
    server.open("acme").await;
    let readiness = async || server.get("/readyz").without_key().send().await.body;
    assert_eq!(readiness().await["clock_behind_s"], 0);
    server.test.clock.set(earlier(10));
    assert_eq!(readiness().await["clock_behind_s"], 0);
    let refused = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1_000 })).send().await;
    refused.is_problem(402, "insufficient_credits");
    assert!(!heard.all().contains(BEHIND), "{}", heard.all());

    server.test.clock.set(earlier(60));
    // It is looked at once a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for _ in 0..3 {
        let behind = readiness().await;
        assert_eq!((&behind["status"], &behind["clock_behind_s"]), (&json!("ready"), &json!(60)));
    }
    let said = heard.lines().into_iter().filter(|line| line.to_string().contains(BEHIND)).collect::<Vec<_>>();
    assert_eq!(said.len(), 1, "loud, and not each time: {said:#?}");
    assert_eq!((&said[0]["level"], &said[0]["behind_s"]), (&json!("ERROR"), &json!(60)));
}

/// It has recorded nothing by itself yet.
#[tokio::test]
async fn an_instance_that_starts_by_a_clock_that_is_behind_finds_out_from_the_journal() {
    let server = Server::start().await;
    server.open("acme").await;
    let heard = Heard::begin();
    let (pool, clock) = (server.test.database.pool(), Clock::fixed(earlier(DAY_S)));
    let (ledger, _running) = Ledger::start(pool.clone(), Arc::clone(&music()), clock).await.unwrap();
    assert!(heard.all().contains(BEHIND), "it is said at the start: {}", heard.all());
    let refused = ledger.execute(deduct("acme", 10, "k1")).await;
    assert_eq!(refused, Err(ExecuteError::ClockBehind { behind_s: DAY_S }));

    let stop = CancellationToken::new();
    let (address, _stop, _served) = serve(router(pool, &ledger, HttpSettings::default(), &stop).await).await;
    let ready = reqwest::get(format!("{address}/readyz")).await.unwrap();
    assert_eq!(ready.status().as_u16(), 200);
    let ready: serde_json::Value = ready.json().await.unwrap();
    assert_eq!(ready["clock_behind_s"], DAY_S);
    stop.cancel();
}

/// One event that a wrong clock dated into the future does not turn refusals away for ever.
#[tokio::test]
async fn what_another_clock_dated_into_the_future_is_history_once_others_follow() {
    let server = Server::start().await;
    server.test.clock.set(noon().plus(TimeDelta::days(365)));
    server.open("of-next-year").await;
    server.test.clock.set(noon());
    server.open("acme").await;
    let too_much = || server.post("/v1/accounts/acme/deductions", json!({ "amount": 1_000 })).send();
    too_much().await.is_problem(503, "clock_behind");
    for _ in 0..100 {
        let spent = server
            .post("/v1/accounts/acme/grants", json!({ "source": "bonus", "amount": 1, "reason": "test" }));
        assert_eq!(spent.send().await.status, 201);
    }
    too_much().await.is_problem(402, "insufficient_credits");
}
