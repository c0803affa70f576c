//! Many callers at once.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use counterfoil::http::HttpSettings;

use crate::support::{
    http::{Server, router, serve},
    ledger::start,
};

const CALLS: usize = 1_000;
const CONNECTIONS: usize = 100;

/// Sends 1,000 deductions of 1 to the addresses in turn, and counts how many succeeded and were refused.
async fn rush(addresses: &[String], key: &str) -> (usize, usize) {
    let client = reqwest::Client::builder()
        .pool_max_idle_per_host(CONNECTIONS)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        let url = format!("{}/v1/accounts/acme/deductions", addresses[number % addresses.len()]);
        let call = client.post(url).bearer_auth(key).header("idempotency-key", format!("k{number}"));
        let call = call.json(&json!({ "amount": 1 }));
        calls.spawn(async move { call.send().await.unwrap().status() });
    }
    let statuses = calls.join_all().await;
    let count = |wanted: StatusCode| statuses.iter().filter(|status| **status == wanted).count();
    (count(StatusCode::CREATED), count(StatusCode::PAYMENT_REQUIRED))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deductions_on_a_hundred_credits_succeed_a_hundred_times() {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 50).await;
    let (done, refused) = rush(std::slice::from_ref(&server.address), &server.admin).await;
    assert_eq!((done, refused), (100, 900));
    assert_eq!(server.balance("acme").await["available"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn also_through_two_servers_on_one_database() {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 50).await;
    let pool = server.test.database.pool();
    let (ledger, _running) = start(pool.clone(), server.test.clock.clone()).await;
    let stop = CancellationToken::new();
    let (address, _stop, served) = serve(router(pool, &ledger, HttpSettings::default(), &stop).await).await;
    let (done, refused) = rush(&[server.address.clone(), address], &server.admin).await;
    assert_eq!((done, refused), (100, 900));
    assert_eq!(server.balance("acme").await["available"], 0);
    stop.cancel();
    served.abort();
}

/// What an account holds is told from its own events, and so is never behind.
#[tokio::test]
async fn what_one_server_has_acknowledged_the_other_tells_at_once() {
    let server = Server::start().await;
    server.open("acme").await;
    let pool = server.test.database.pool();
    let (ledger, _running) = start(pool.clone(), server.test.clock.clone()).await;
    let stop = CancellationToken::new();
    let (address, _stop, served) = serve(router(pool, &ledger, HttpSettings::default(), &stop).await).await;
    let client = reqwest::Client::new();
    let told = async |what: &str| -> Value {
        let asked = client.get(format!("{address}/v1/accounts/acme/{what}")).bearer_auth(&server.admin);
        asked.send().await.unwrap().json().await.unwrap()
    };
    for spent in 1..=5 {
        let order = json!({ "type": "standard_generation", "generation_id": format!("gen_{spent}") });
        let answer = server.post("/v1/accounts/acme/generations", order).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(told("balance").await["available"], 50 - 5 * spent);
        assert_eq!(told("limits").await["limits"][0]["used"], spent);
    }
    let held =
        server.post("/v1/accounts/acme/holds", json!({ "amount": 5, "expires_in_s": 600 })).send().await;
    assert_eq!(told("holds").await["holds"][0]["hold_id"], held.body["hold_id"]);
    stop.cancel();
    served.abort();
}
