//! A desk that can look up at Stripe what it was not told: the sandbox knows what has happened.

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::{
    domain::{catalog::Catalog, time::Timestamp},
    sandbox::{Sandbox, SandboxOptions},
    stripe::inbound::{
        processor::Processor,
        reconcile::{ReconcileOptions, ReconcileReport, Reconciler},
    },
};
use serde_json::{Value, json};

use super::{
    desk::Desk,
    documents::{here, story, value},
};
use crate::support::{ledger::music, shop::client};

pub struct Bureau {
    pub desk: Desk,
    pub sandbox: Sandbox,
    pub reconciler: Reconciler,
    http: reqwest::Client,
}

impl Bureau {
    pub async fn open(at: Timestamp) -> Self {
        Self::selling(music(), at).await
    }

    pub async fn selling(catalog: Arc<Catalog>, at: Timestamp) -> Self {
        let mut desk = Desk::selling(catalog).await;
        desk.clock().set(at);
        let (clock, signing_clock) = (desk.clock().clone(), desk.clock().clone());
        let options =
            SandboxOptions { listen: "127.0.0.1:0".parse().unwrap(), webhook: None, clock, signing_clock };
        let sandbox = Sandbox::start(options).await.unwrap();
        let stripe = client("sk_test_bureau", &sandbox.url());
        let (inbox, ledger) = (desk.inbox.clone(), desk.test.ledger.clone());
        desk.processor = Processor::new(inbox.clone(), ledger.clone(), here()).asking(Some(stripe.clone()));
        let reconciler = Reconciler::new(stripe, inbox, ledger, here());
        Self { desk, sandbox, reconciler, http: reqwest::Client::new() }
    }

    async fn control(&self, path: &str, body: Value) {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// What Stripe knows: this, and the customers that it is about.
    pub async fn happened(&self, events: &[Value], objects: &[Value]) {
        let told = events.iter().map(|event| &event["data"]["object"]).chain(objects);
        let customers = customers(told.collect::<Vec<_>>().as_slice());
        self.control("documents", json!({ "events": customers, "objects": [] })).await;
        self.control("documents", json!({ "events": events, "objects": objects })).await;
    }

    pub async fn fail(&self, faults: Value) {
        self.control("faults", json!({ "api": faults })).await;
    }

    /// Compares, and mends both or nothing.
    pub async fn run(&self, repair: bool) -> ReconcileReport {
        let since = self.desk.clock().now().minus(TimeDelta::days(365));
        let order = ReconcileOptions { since, fetch_events: repair, rebuild_events: repair };
        self.reconciler.run(order, |_, _| {}).await.unwrap()
    }
}

/// That there are customers whom nobody tells of but what they have.
fn customers(objects: &[&Value]) -> Vec<Value> {
    let named = objects.iter().filter_map(|object| object["customer"].as_str());
    let customer = |id: &str| {
        json!({
            "id": format!("evt_{id}"), "created": 0, "type": "customer.updated", "livemode": false,
            "data": { "object": { "id": id, "object": "customer", "created": 0, "livemode": false } },
        })
    };
    named.map(customer).collect()
}

/// The story's events that were made by then.
pub fn until(shape: &str, at: Timestamp) -> Vec<Value> {
    let events = story(shape).into_iter().map(|file| value(shape, &file));
    events.filter(|event| event["created"].as_i64().unwrap() <= at.seconds()).collect()
}
