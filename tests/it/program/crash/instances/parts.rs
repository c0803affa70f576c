//! What does a batch wait for, whose commands several instances write?

use std::time::{Duration, Instant};

use axum::{
    Json, Router,
    extract::{Request, State},
    response::IntoResponse,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::{KEY, Stage, account_of, writers};

/// Less than the time that an instance has for an answer.
const WAIT: Duration = Duration::from_millis(600);

/// An instance that answers when another account has spent something, or after a while: whether it has.
async fn answer(State((pool, other)): State<(PgPool, String)>, request: Request) -> impl IntoResponse {
    let id = request.headers()["counterfoil-passed-on"].clone();
    let spent = "select exists (select from ledger.events where aggregate_id = $1 \
                 and event_type = 'CreditsDeducted')";
    let begun = Instant::now();
    let mut is_spent = false;
    while !is_spent && begun.elapsed() < WAIT {
        tokio::time::sleep(Duration::from_millis(10)).await;
        is_spent = sqlx::query_scalar(spent).bind(&other).fetch_one(&pool).await.expect("an answer");
    }
    let answers = ["first", "second"].map(|which| json!({ "status": 201, "body": { which: is_spent } }));
    ([("x-request-id", id)], Json(json!(answers)))
}

/// Commands that are written here are done while another instance is slow, and the answers are in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_part_of_a_batch_does_not_wait_for_the_others() {
    let stage = Stage::create().await;
    let _served = stage.serve(0).await;
    let (urls, pool) = (stage.urls(), stage.database.pool());
    let there = "insert into ledger.instances values (gen_random_uuid(), $1, now() + interval '1 hour')";
    sqlx::query(there).bind(&urls[1]).execute(&pool).await.expect("it says so");
    let writers = writers(&urls[0], 2).await;
    let own = account_of(&urls[0], &writers, &stage).await;
    let others = account_of(&urls[1], &writers, &stage).await;
    let client = reqwest::Client::new();
    let opened = client.put(format!("{}/v1/accounts/{own}", urls[0])).bearer_auth(KEY).send().await;
    assert!(opened.expect("an answer").status().is_success());
    let app = Router::new().fallback(answer).with_state((pool, own.clone()));
    let listener = TcpListener::bind(&stage.addresses[1]).await.expect("a free port");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let item = |account: &str, amount: u32| {
        json!({ "account": account, "command": "deduct", "amount": amount,
                "idempotency_key": format!("k{amount}") })
    };
    let items = json!([item(&others, 1), item(&own, 2), item(&others, 3)]);
    let sent = client.post(format!("{}/v1/commands", urls[0])).bearer_auth(KEY).json(&items).send().await;
    let answers: Value = sent.expect("an answer").json().await.expect("JSON");
    assert_eq!(answers[0]["body"], json!({ "first": true }), "{answers}");
    assert_eq!((&answers[1]["status"], &answers[1]["body"]["amount"]), (&json!(201), &json!(2)), "{answers}");
    assert_eq!(answers[2]["body"], json!({ "second": true }), "{answers}");
}
