//! Does the load generator count each request once?

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use counterfoil::load::{self, Choice, LoadAccounts, LoadPlan, LoadTarget, Pace, RequestForm, Until};
use serde_json::{Value, json};

/// What the server was asked.
#[derive(Debug, Default)]
struct Seen {
    accounts: Mutex<Vec<String>>,
    keys: Mutex<Vec<String>>,
}

/// Refuses every account whose number ends in 3 and fails on those that end in 7.
async fn deduct(
    State(seen): State<Arc<Seen>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> StatusCode {
    assert_eq!(headers["authorization"], "Bearer cf_test_load");
    let key = headers["idempotency-key"].to_str().expect("keys are digits");
    let status = match account.chars().last() {
        Some('3') => StatusCode::PAYMENT_REQUIRED,
        Some('7') => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CREATED,
    };
    seen.keys.lock().expect("no test thread panics here").push(key.to_owned());
    seen.accounts.lock().expect("no test thread panics here").push(account);
    status
}

async fn command(Json(items): Json<Vec<Value>>) -> Json<Value> {
    let refused = |item: &Value| item["account"].as_str().is_some_and(|account| account.ends_with('3'));
    items
        .iter()
        .map(|item| json!({ "status": if refused(item) { 402 } else { 201 } }))
        .collect::<Value>()
        .into()
}

async fn serve() -> (LoadTarget, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let router = Router::new()
        .route("/v1/accounts/{account}/deductions", post(deduct))
        .route("/v1/commands", post(command))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (LoadTarget::parse(&format!("http://{address}"), "cf_test_load").expect("a good URL"), seen)
}

fn plan(target: LoadTarget, form: RequestForm, until: Until) -> LoadPlan {
    let accounts = LoadAccounts { prefix: "load-".to_owned(), count: 10, choice: Choice::InTurn };
    LoadPlan { target, form, accounts, connections: 16, threads: 2, pace: Pace::AsAnswered, until }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_sent_once_and_counted_by_its_status() {
    let (target, seen) = serve().await;

    let report =
        load::run(plan(target, RequestForm::deduction(), Until::Requests(5_000))).await.expect("a report");

    assert_eq!(report.requests, 5_000);
    assert_eq!(report.statuses.success, 4_000);
    assert_eq!(report.statuses.client_error, 500);
    assert_eq!(report.statuses.server_error, 500);
    assert_eq!((report.unanswered, report.items, report.items_accepted), (0, 5_000, 4_000));
    assert!(report.p50_us > 0 && report.p50_us <= report.p99_us && report.p99_us <= report.max_us);
    let keys = seen.keys.lock().expect("no test thread panics here");
    assert_eq!(keys.len(), 5_000);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 5_000, "a key was used twice");
    let accounts = seen.accounts.lock().expect("no test thread panics here");
    assert_eq!(accounts.iter().filter(|account| *account == "load-0000004").count(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_items_of_batches_are_counted() {
    let (target, _seen) = serve().await;

    let report =
        load::run(plan(target, RequestForm::deductions(100), Until::Requests(200))).await.expect("a report");

    assert_eq!((report.requests, report.items, report.items_accepted), (200, 20_000, 18_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_rate_is_kept() {
    let (target, seen) = serve().await;
    let until = Until::Elapsed(Duration::from_millis(1_500));

    let plan = LoadPlan { pace: Pace::PerSecond(2_000), ..plan(target, RequestForm::deduction(), until) };
    let report = load::run(plan).await.expect("a report");

    assert_eq!(report.requests, 3_000);
    assert_eq!(seen.keys.lock().expect("no test thread panics here").len(), 3_000);
    assert!((1_800..=2_001).contains(&report.requests_per_second), "{report}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let target = LoadTarget::parse("http://127.0.0.1:1", "key").expect("a good URL");
    let error =
        load::run(plan(target, RequestForm::deduction(), Until::Requests(1))).await.expect_err("no server");
    assert_eq!(error.to_string(), "could not connect to 127.0.0.1:1");
}

/// A server that closes each connection after a few answers loses the client no request without saying so.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_is_opened_again_and_its_request_counted_as_unanswered() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                for _ in 0..3 {
                    let _bytes = stream.read(&mut request).await?;
                    stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await?;
                }
                std::io::Result::Ok(())
            });
        }
    });
    let target = LoadTarget::parse(&format!("http://{address}"), "key").expect("a good URL");

    let report =
        load::run(plan(target, RequestForm::deduction(), Until::Requests(400))).await.expect("a report");

    assert_eq!(report.requests + report.unanswered, 400);
    assert!(report.unanswered > 0, "{report}");
}
