//! What is left of people after all that they can do? Nothing of who they are and how they pay: not in the database,
//! not in the log, not in the metrics.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::serve::off_thread;
use crate::support::{database::TestDatabase, program::Served};

const PATIENCE: Duration = Duration::from_secs(30);
const CARD: &str = "5555555555554444";
const GIVEN_KEY: &str = "cf_test_0123456789abcdef0123456789abcdef";
/// What is said of people in the story.
const PERSONAL: [&str; 8] = [
    "Quillfeather",
    "quillfeather@example.org",
    "+44 7700 900123",
    "12 Analytical Row",
    "W1G 0AX",
    "Marylebone",
    CARD,
    "last4\":\"4444",
];
/// What opens something, or begins like it.
const SECRET: [&str; 5] =
    ["_secret_", "whsec_sandbox", "sk_test_sandbox", GIVEN_KEY, "whsec_own_of_this_test"];

struct Story {
    served: Served,
    sandbox: String,
    client: Client,
}

impl Story {
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.client.request(method.clone(), self.served.url(path)).bearer_auth(GIVEN_KEY);
        let request = request.header("idempotency-key", uuid::Uuid::new_v4().to_string());
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, &format!("/v1/accounts/ada/{path}"), Some(body)).await
    }

    async fn sandbox(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post(format!("{}/{path}", self.sandbox)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap_or_default()
    }

    async fn pay(&self, wanted: Value) {
        let urls =
            json!({ "success_url": "https://example.com/paid", "cancel_url": "https://example.com/not" });
        let mut body = wanted;
        body.as_object_mut().unwrap().extend(urls.as_object().unwrap().clone());
        let opened = self.post("checkout-sessions", body).await;
        let session = opened["checkout_session_id"].as_str().unwrap();
        let card = json!({ "card": CARD, "email": "quillfeather@example.org" });
        self.sandbox(&format!("_sandbox/checkout/{session}/pay"), card).await;
    }

    async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let answer = self.ask(Method::GET, path, None).await;
            if holds(&answer) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stays {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Somebody says who they are, buys, subscribes, changes, is refunded, and asks for all that is shown of them.
    async fn tell(&self) {
        self.ask(Method::PUT, "/v1/accounts/ada", None).await;
        let address = json!({ "line1": "12 Analytical Row", "city": "Marylebone", "postal_code": "W1G 0AX", "country": "GB" });
        let person = json!({
            "name": "Ada Quillfeather", "email": "quillfeather@example.org", "phone": "+44 7700 900123", "address": address,
        });
        self.ask(Method::PUT, "/v1/accounts/ada/customer", Some(person)).await;
        self.pay(json!({ "pack": "pack_500", "quantity": 1, "email": "quillfeather@example.org" })).await;
        self.pay(json!({ "plan": "creator", "interval": "month" })).await;
        self.until("/v1/accounts/ada", |account| account["plan"] == "creator").await;
        let made = self.post("payments", json!({ "pack": "pack_500" })).await;
        assert!(made["client_secret"].as_str().unwrap().contains("_secret_"));
        let payment = made["payment"].as_str().unwrap().to_owned();
        let confirmed = json!({ "payment_method": "pm_card_mastercard", "off_session": true });
        self.post(&format!("payments/{payment}/confirm"), confirmed).await;
        self.until("/v1/accounts/ada/balance", |balance| balance["available"] == 2_550).await;
        self.post("generations", json!({ "type": "standard_generation", "generation_id": "gen_1" })).await;
        self.post(&format!("payments/{payment}/refunds"), json!({ "reason": "requested_by_customer" })).await;
        self.post("subscription/cancel", json!({ "at": "period_end", "reason": "too dear" })).await;
        self.post("portal-sessions", json!({ "return_url": "https://example.com/account" })).await;
        self.until("/v1/inbox?state=received", |inbox| inbox["events"] == json!([])).await;
        for path in
            ["customer", "payment-methods", "payments", "invoices", "subscriptions", "statement", "balance"]
        {
            self.ask(Method::GET, &format!("/v1/accounts/ada/{path}"), None).await;
        }
        let seen = self.ask(Method::GET, "/v1/accounts/ada/customer", None).await;
        assert_eq!(seen["name"], "Ada Quillfeather", "Stripe knows it");
        // What is wrong is said in the log, and not with whose it is.
        let bad = json!({ "email": "quillfeather@example.org\u{7}" });
        let request = self.client.put(self.served.url("/v1/accounts/ada/customer")).bearer_auth(GIVEN_KEY);
        assert_eq!(request.json(&bad).send().await.unwrap().status(), 422);
        let wrong = self.client.get(self.served.url("/v1/accounts")).bearer_auth("whsec_own_of_this_test");
        assert_eq!(wrong.send().await.unwrap().status(), 401);
    }
}

/// Every column of every table, as text.
async fn dump(pool: &PgPool) -> String {
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select format('%I.%I', table_schema, table_name), column_name::text, data_type::text \
         from information_schema.columns where table_schema in ('ledger', 'read')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(columns.len() > 100);
    let mut dump = String::new();
    for (table, column, kind) in columns {
        let text =
            if kind == "bytea" { format!("encode({column}, 'escape')") } else { format!("{column}::text") };
        let query = format!("select coalesce({text}, '') from {table}");
        let values: Vec<String> = sqlx::query_scalar(&query).fetch_all(pool).await.unwrap();
        dump.extend(values.iter().map(|value| format!("{table}.{column}: {value}\n")));
    }
    dump
}

fn has_none_of(what: &str, text: &str, words: &[&str]) {
    for word in words {
        let line = text.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word} is in the {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_people_and_their_secrets_is_left_anywhere() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let served = off_thread(move || {
        Served::start(|command| {
            command
                .env("DATABASE_URL", url)
                .env("COUNTERFOIL_BOOTSTRAP_KEY", GIVEN_KEY)
                .env("RUST_LOG", "debug");
            command.env("STRIPE_WEBHOOK_SECRET", "whsec_own_of_this_test").arg("--sandbox=127.0.0.1:0");
        })
    })
    .await;
    let sandbox = served.banner["sandbox"].as_str().expect("it is named").to_owned();
    let story = Story { served, sandbox, client: Client::new() };
    story.tell().await;
    let metrics = story.client.get(story.served.url("/metrics")).bearer_auth(GIVEN_KEY).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let Story { served, .. } = story;
    let (_, log) = off_thread(move || {
        served.signal(libc::SIGTERM);
        served.wait_and_hear()
    })
    .await;
    let dump = dump(&database.pool()).await;
    assert!(dump.len() > 50_000 && dump.contains("CreditsGranted"), "{} characters", dump.len());
    assert!(log.lines().count() > 100 && metrics.contains("counterfoil_"), "{} lines", log.lines().count());
    for (what, text) in [("database", &dump), ("log", &log), ("metrics", &metrics)] {
        has_none_of(what, text, &PERSONAL);
        has_none_of(what, text, &SECRET);
    }
    has_none_of("metrics", &metrics, &["ada", "acme"]);
}
