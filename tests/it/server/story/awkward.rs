//! Awkward deliveries of which a caller of the server sees more than what they mean: what is shown, what is answered,
//! and what becomes of them later.
//!
//! What each awkward document means is asked of the translation alone, in `functions/stripe/edge.rs`, and where it ends
//! in the inbox in `database/stripe/dead_letters.rs`.

use chrono::TimeDelta;
use counterfoil::stripe::{documents::envelope::Envelope, inbound::processor::ATTEMPTS_MAX};
use serde_json::{Value, json};

use crate::support::{
    documents::{ADA, SHAPES, event, read, value},
    in_process::Program,
};

/// A program that knows Ada, a minute after a document was made.
async fn program(file: &str) -> Program {
    let program = Program::start(event("edge", file).created.plus(TimeDelta::minutes(1))).await;
    program.deliver(SHAPES[1], "customer.created.json").await;
    program.handled().await;
    program
}

/// What came of a document of the folder.
struct Outcome {
    program: Program,
    delivery: Value,
    available: i64,
    plan: Value,
}

async fn outcome(file: &str) -> Outcome {
    let program = program(file).await;
    program.deliver("edge", file).await;
    program.handled().await;
    let delivery = program.delivery(event("edge", file).id.as_str()).await;
    let account = program.read(&format!("/v1/accounts/{ADA}")).await;
    program.assert_clean().await;
    let available = account["balance"]["available"].as_i64().expect("whole");
    Outcome { program, delivery, available, plan: account["plan"].clone() }
}

impl Outcome {
    /// The sign-up's 50 credits, and so many more.
    fn is(&self, state: &str, granted: i64) {
        assert_eq!(self.delivery["state"], state, "{}", self.delivery);
        assert_eq!(self.available, 50 + granted, "{}", self.delivery);
    }

    fn says(&self, reason: &str) {
        let said = self.delivery["reason"].as_str().unwrap_or_default();
        assert!(said.contains(reason), "{said}");
    }
}

#[tokio::test]
async fn an_unknown_status_is_dead_and_never_active() {
    let outcome = outcome("unknown_enum_status.json").await;
    outcome.is("dead", 0);
    outcome.says("hibernating");
    assert_eq!(outcome.plan, "free");
    let subscription = outcome.program.read(&format!("/v1/accounts/{ADA}/subscription")).await;
    assert_eq!(subscription["subscription"], Value::Null);
}

/// Held until the customer is known, and then granted.
#[tokio::test]
async fn an_invoice_of_an_unknown_customer_waits_for_it() {
    let outcome = outcome("unknown_customer.json").await;
    outcome.is("waiting", 0);
    assert_eq!(outcome.delivery["attempts"], 1);
    assert!(outcome.delivery["next_attempt_at"].is_string());
    let mut customer = value(SHAPES[1], "customer.created.json");
    customer["id"] = "evt_somebody_knows".into();
    customer["data"]["object"]["id"] = "cus_NobodyKnows0001".into();
    customer["data"]["object"]["metadata"] = json!({ "account_id": "nobody" });
    outcome.program.server.deliver(&customer).await;
    outcome.program.handled().await;
    let delivery = outcome.program.delivery("evt_edge_unknowncus").await;
    assert_eq!((&delivery["state"], &delivery["account"]), (&json!("processed"), &json!("nobody")));
    assert_eq!(outcome.program.server.balance("nobody").await["available"], 550);
}

/// It is tried again and again, then left to a person, and never dropped.
#[tokio::test]
async fn an_invoice_of_an_unknown_customer_is_dead_in_the_end() {
    let file = "unknown_customer.json";
    let program = program(file).await;
    program.deliver("edge", file).await;
    program.handled().await;
    for attempt in 2..=ATTEMPTS_MAX {
        program.set_time(program.now().plus(TimeDelta::hours(1)));
        // Whatever arrives next wakes the processor, which then sees what is due.
        let mut other = value("edge", "unknown_type.json");
        other["id"] = format!("evt_round_{attempt}").into();
        program.server.deliver(&other).await;
        program.tried("evt_edge_unknowncus", attempt).await;
    }
    let delivery = program.delivery("evt_edge_unknowncus").await;
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("dead"), &json!(ATTEMPTS_MAX)));
    let kept = program.read("/v1/inbox/evt_edge_unknowncus").await;
    let lines = |event: &Value| event["data"]["object"]["lines"].clone();
    assert_eq!(lines(&kept["document"]), lines(&value("edge", file)));
}

/// What is no account's id names none. The customer does.
#[tokio::test]
async fn hostile_metadata_is_only_text() {
    let outcome = outcome("hostile_metadata.json").await;
    outcome.is("processed", 500);
    assert_eq!(outcome.delivery["account"], ADA);
}

#[tokio::test]
async fn an_amount_that_no_float_holds_is_exact() {
    let outcome = outcome("amount_above_2_53.json").await;
    outcome.is("processed", 500);
    let events = outcome.program.read(&format!("/v1/accounts/{ADA}/events")).await;
    let mut events = events["events"].as_array().expect("events").iter();
    let paid = events.find(|event| event["type"] == "PaymentSucceeded").expect("it was paid");
    assert_eq!(paid["data"]["money"]["minor"], 9_007_199_254_740_993_i64);
}

#[tokio::test]
async fn a_truncated_body_is_refused_and_not_stored() {
    let program = program("unknown_type.json").await;
    let body = read("edge", "not_json.txt");
    assert!(Envelope::parse(&body).is_err());
    let answer = program.post(body).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("webhook_unparsable"), "{}", answer.body);
    assert_eq!(program.read("/v1/inbox").await["events"].as_array().map(Vec::len), Some(1));
}
