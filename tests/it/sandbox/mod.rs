//! Beside the other levels: the sandbox is started, and nothing of the ledger. Does it behave as Stripe does?
//!
//! It is asked over real HTTP, and every answer of its API is held against the schema.

mod browser;
mod checkout;
mod conformance;
mod coupons;
mod credit_notes;
mod debits;
mod doors;
mod errors;
mod pages;
mod pausing;
mod payments;
mod proration;
mod schedules;
mod schema;
mod served;
mod subscriptions;
mod time;
mod tour;
mod webhooks;

use std::{collections::BTreeSet, sync::Mutex};

use counterfoil::{
    clock::Clock,
    domain::time::Timestamp,
    sandbox::{Sandbox, SandboxOptions, Webhook},
};
use reqwest::Method;
use serde_json::Value;

use crate::support::receiver::Receiver;

pub const SECRET: &str = "whsec_of_the_tests";
/// When every story begins: 2026-01-31, the last day of a month.
pub const START: &str = "2026-01-31T12:00:00Z";

/// A sandbox, who is told by it, and how it is asked.
pub struct Bench {
    pub sandbox: Sandbox,
    pub receiver: Receiver,
    pub clock: Clock,
    client: reqwest::Client,
    /// The operations that have answered.
    called: Mutex<BTreeSet<String>>,
}

impl Bench {
    pub async fn start() -> Self {
        Self::of_version(None).await
    }

    /// Events come in the shape of `version`.
    pub async fn of_version(version: Option<&str>) -> Self {
        let clock = Clock::fixed(Timestamp::parse(START).unwrap());
        let receiver = Receiver::start().await;
        let webhook = Webhook {
            url: receiver.url(),
            secret: SECRET.to_owned(),
            api_version: version.map(str::to_owned),
        };
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = SandboxOptions {
            listen,
            webhook: Some(webhook),
            clock: clock.clone(),
            signing_clock: clock.clone(),
        };
        let sandbox = Sandbox::start(options).await.expect("a free port");
        Self { sandbox, receiver, clock, client: reqwest::Client::new(), called: Mutex::default() }
    }

    /// Asks, and returns status and body as they are.
    pub async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        self.ask_with(method, path, form, &[]).await
    }

    pub async fn ask_with(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.client.request(method.clone(), url).bearer_auth("sk_test_bench");
        request = if method == Method::GET { request.query(form) } else { request.form(form) };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("it answers");
        assert_eq!(response.headers()["counterfoil-sandbox"], "true");
        let status = response.status().as_u16();
        let body: Value = response.json().await.expect("it answers with JSON");
        if status == 200 {
            let operation = schema::check(method.as_str(), path, &body);
            self.called.lock().unwrap().insert(operation);
        } else {
            let error = &body["error"];
            assert!(error["type"].is_string() && error["message"].is_string(), "{path}: {body}");
        }
        (status, body)
    }

    /// The newest event of a type, as it was told, which may be after it has happened and after others.
    pub async fn told(&self, kind: &str) -> Value {
        let (_, listed) = self.ask(Method::GET, "/v1/events", &[("type", kind), ("limit", "1")]).await;
        match listed["data"][0]["id"].as_str() {
            Some(id) => self.receiver.event("id", id).await,
            // It is older than a month, and not listed any more.
            None => self.receiver.event("type", kind).await,
        }
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, body) = self.ask(Method::POST, path, form).await;
        assert_eq!(status, 200, "POST {path}: {body:#}");
        body
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &[]).await;
        assert_eq!(status, 200, "GET {path}: {body:#}");
        body
    }

    pub async fn delete(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::DELETE, path, &[]).await;
        assert_eq!(status, 200, "DELETE {path}: {body:#}");
        body
    }

    /// Posts to `/_sandbox`.
    pub async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let response = self.client.post(url).json(&body).send().await.expect("it answers");
        (response.status().as_u16(), response.json().await.expect("it answers with JSON"))
    }

    pub async fn advance(&self, by: &str) {
        let (status, body) = self.control("clock", serde_json::json!({ "advance": by })).await;
        assert_eq!(status, 200, "{body}");
    }

    /// A page, by its path.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let response = self.client.get(format!("{}{path}", self.sandbox.url())).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Sends a form of a page, and returns the status, where it leads, and the page.
    pub async fn submit(&self, path: &str, form: &[(&str, &str)]) -> (u16, Option<String>, String) {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let response = client.post(format!("{}{path}", self.sandbox.url())).form(form).send().await.unwrap();
        let leads = response.headers().get("location").map(|leads| leads.to_str().unwrap().to_owned());
        (response.status().as_u16(), leads, response.text().await.unwrap())
    }

    /// A customer with a card that is charged for everything.
    pub async fn customer(&self, card: &str) -> String {
        let customer = self.post("/v1/customers", &[("email", "ada@example.com")]).await;
        let id = customer["id"].as_str().unwrap().to_owned();
        let attached = format!("/v1/payment_methods/{card}/attach");
        let method = self.post(&attached, &[("customer", &id)]).await;
        let method = method["id"].as_str().unwrap();
        let path = format!("/v1/customers/{id}");
        self.post(&path, &[("invoice_settings[default_payment_method]", method)]).await;
        id
    }

    /// A monthly price of a product of its own.
    pub async fn price(&self, name: &str, amount: &str) -> String {
        let price = self
            .post(
                "/v1/prices",
                &[
                    ("product_data[name]", name),
                    ("unit_amount", amount),
                    ("currency", "usd"),
                    ("recurring[interval]", "month"),
                ],
            )
            .await;
        price["id"].as_str().unwrap().to_owned()
    }
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
