//! What if the database goes away under a server, or ends by itself? Callers are told to come back, and find all there.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use counterfoil::postgres::{self, DATABASE, Durability, Server as Postgres, ServerOptions};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use super::serve::{off_thread, pid_of_postgres, serve_embedded};
use crate::support::{Scratch, program::Served, specification};

const PATIENCE: Duration = Duration::from_secs(60);

async fn start(directory: &Path) -> Postgres {
    let options = ServerOptions {
        data_directory: directory.to_owned(),
        binaries: None,
        durability: Durability::On,
        max_connections: 60,
    };
    postgres::start(options).await.expect("it starts")
}

fn ask(served: &Served, method: Method, path: &str, body: Option<Value>) -> RequestBuilder {
    let request = reqwest::Client::new().request(method, served.url(path)).bearer_auth(served.admin_key());
    let request = request.header("idempotency-key", uuid::Uuid::new_v4().to_string());
    match body {
        Some(body) => request.json(&body),
        None => request,
    }
}

async fn deduct(served: &Served) -> Response {
    let body = json!({ "amount": 1 });
    ask(served, Method::POST, "/v1/accounts/acme/deductions", Some(body)).send().await.expect("an answer")
}

async fn is_ready(served: &Served) -> bool {
    ask(served, Method::GET, "/readyz", None).send().await.expect("an answer").status() == 200
}

async fn available(served: &Served) -> i64 {
    let answer = ask(served, Method::GET, "/v1/accounts/acme/balance", None).send().await.expect("an answer");
    answer.json::<Value>().await.expect("a document")["available"].as_i64().expect("a number")
}

/// Waits until a deduction is taken again, and says how many were.
async fn works_again(served: &Served) {
    let begun = Instant::now();
    while deduct(served).await.status() != 201 || !is_ready(served).await {
        assert!(begun.elapsed() < PATIENCE, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What of the document is asked of the database, with something to ask.
fn questions() -> Vec<(Method, String, Option<Value>)> {
    let paths = specification::document()["paths"].as_object().expect("paths");
    let reads = paths.iter().filter(|(_, item)| item["get"].is_object()).map(|(path, _)| {
        let path =
            path.replace("{account}", "acme").replace("{event}", "evt_1").replace("{projection}", "mrr");
        let days = if path.ends_with("usage") || path.contains("analytics") {
            "?from=2026-01-01&to=2026-01-31"
        } else {
            ""
        };
        (Method::GET, path + days, None)
    });
    let reads = reads.filter(|(_, path, _)| !path.contains('{'));
    let grant = json!({ "source": "bonus", "amount": 5, "reason": "test" });
    let key = json!({ "name": "other", "scopes": ["read"] });
    let refund = json!({ "generation_id": "gen_1", "reason": "failed" });
    let commands = [
        ("deductions", json!({ "amount": 1 })),
        ("generations", json!({ "type": "standard_generation", "generation_id": "gen_1" })),
        ("holds", json!({ "amount": 1 })),
        ("refunds", refund.clone()),
        ("grants", grant),
        ("quote", json!({ "type": "standard_generation" })),
    ];
    let commands = commands.map(|(name, body)| (format!("/v1/accounts/acme/{name}"), body));
    let others = [("/v1/api-keys".to_owned(), key)];
    let writes = commands.into_iter().chain(others).map(|(path, body)| (Method::POST, path, Some(body)));
    let open = [(Method::PUT, "/v1/accounts/new".to_owned(), None)];
    reads.chain(writes).chain(open).collect()
}

/// What does not need the database, or says that it is away in words of its own.
const WITHOUT: [&str; 9] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/catalog",
    "/v1/prices",
    "/v1/products",
    "/v1/projections",
    "/v1/shards",
    "/openapi.json",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_callers_are_told_to_come_back() {
    let scratch = Scratch::create();
    let postgres = start(scratch.path()).await;
    let url = postgres.connect_options(DATABASE).to_url_lossy().to_string();
    let served = off_thread(move || Served::on(&url)).await;
    ask(&served, Method::PUT, "/v1/accounts/acme", None).send().await.expect("opened");
    assert_eq!(deduct(&served).await.status(), 201);
    assert!(is_ready(&served).await);
    postgres.stop().await;

    // Whoever is in hand is waited with for a while; who comes later is told at once.
    let answer = deduct(&served).await;
    assert_eq!(answer.status(), 503);
    let mut asked = BTreeSet::new();
    for (method, path, body) in questions() {
        let begun = Instant::now();
        let answer = ask(&served, method.clone(), &path, body).send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a text");
        assert!(begun.elapsed() < Duration::from_secs(8), "{method} {path} took {:?}", begun.elapsed());
        assert_ne!(status, 500, "{method} {path}: {text}");
        if status == 503 && !path.ends_with("readyz") && !text.contains("billing_not_configured") {
            assert!(headers.contains_key("retry-after"), "{method} {path}");
            assert!(text.contains("\"unavailable\""), "{method} {path}: {text}");
            asked.insert(format!("{method} {path}"));
        } else if !WITHOUT.contains(&path.as_str()) {
            // Refused before the database was asked: not sold here, not understood.
            assert!(
                [400, 402, 403, 404, 409, 422, 503].contains(&status),
                "{method} {path}: {status} {text}"
            );
        }
    }
    assert!(asked.len() > 20, "{asked:#?}");
    let event = json!({ "id": "evt_1", "object": "event" }).to_string();
    let unsigned =
        ask(&served, Method::POST, "/v1/webhooks/stripe", None).body(event).send().await.expect("an answer");
    assert_eq!(unsigned.status(), 400, "what is not signed is refused without asking");
    assert!(!is_ready(&served).await);
    assert_eq!(ask(&served, Method::GET, "/healthz", None).send().await.expect("an answer").status(), 200);

    let postgres = start(scratch.path()).await;
    works_again(&served).await;
    let (_, said) = off_thread(move || {
        served.signal(libc::SIGTERM);
        served.wait_and_hear()
    })
    .await;
    postgres.stop().await;
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("a request failed")).collect();
    assert!(!lines.is_empty() && lines.len() < asked.len(), "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.contains("sources")), "{lines:#?}");
}

/// The pid of the server that runs, or is about to.
fn running(directory: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(directory.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn end(pid: i32) {
    // SAFETY: kill has no memory effects in this process; the pid is that of the child's own server.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_database_that_ends_is_started_again_and_has_what_was_acknowledged() {
    let scratch = Scratch::create();
    let served = serve_embedded(scratch.path()).await;
    ask(&served, Method::PUT, "/v1/accounts/acme", None).send().await.expect("opened");
    assert_eq!(deduct(&served).await.status(), 201);
    let first = pid_of_postgres(scratch.path());
    end(first);
    // Its sessions may outlive it for a moment, and take a deduction yet.
    let begun = Instant::now();
    while running(scratch.path()).is_none_or(|pid| pid == first) {
        assert!(begun.elapsed() < PATIENCE, "it is not started again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    works_again(&served).await;
    assert!((1..=48).contains(&available(&served).await), "one before, and at least one after");
    let status = off_thread(move || served.stop()).await;
    assert_eq!(status.code(), Some(0));
    assert!(!scratch.path().join("postgres/postmaster.pid").exists(), "PostgreSQL was stopped in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_ends_again_and_again_ends_the_server() {
    let scratch = Scratch::create();
    let served = serve_embedded(scratch.path()).await;
    let directory = scratch.path().to_owned();
    let ended = tokio::spawn(off_thread(move || served.wait_and_hear()));
    let begun = Instant::now();
    let mut ends = BTreeSet::new();
    while !ended.is_finished() {
        assert!(begun.elapsed() < PATIENCE, "it does not give up");
        let pid = std::fs::read_to_string(directory.join("postgres/postmaster.pid")).ok();
        let lines: Vec<String> =
            pid.iter().flat_map(|text| text.lines()).map(|line| line.trim().to_owned()).collect();
        let is_ready = lines.get(7).is_some_and(|state| state == "ready");
        let pid = lines.first().and_then(|pid| pid.parse::<i32>().ok());
        if let Some(pid) = pid.filter(|pid| is_ready && ends.insert(*pid)) {
            end(pid);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, said) = ended.await.expect("no panic");
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("again and again"), "{said}");
    assert_eq!(ends.len(), 6, "the first, and five more");
}
