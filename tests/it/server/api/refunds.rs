//! Is what was refunded of a deduction known, however much was refunded since, or is at the same time?

use serde_json::{Value, json};

use super::budgets::started;
use crate::support::http::{Answer, Server};

const ACME: &str = "/v1/accounts/acme";

async fn deducted(server: &Server, amount: i64) -> String {
    let spent = server.post(&format!("{ACME}/deductions"), json!({ "amount": amount })).send().await;
    spent.body["deduction_id"].as_str().expect("a deduction").to_owned()
}

async fn refund(server: &Server, deduction: &str, amount: Option<i64>) -> Answer {
    let body = json!({ "deduction_id": deduction, "amount": amount, "reason": "failed" });
    server.post(&format!("{ACME}/refunds"), body).send().await
}

/// The answers to a batch, each with its status.
async fn batch(server: &Server, commands: impl Iterator<Item = Value>) -> Vec<Value> {
    let commands: Vec<Value> = commands
        .map(|mut command| {
            command["account"] = "acme".into();
            command["idempotency_key"] = uuid::Uuid::new_v4().to_string().into();
            command
        })
        .collect();
    let answer = server.post("/v1/commands", json!(commands)).send().await;
    answer.body.as_array().expect("one answer for each").clone()
}

#[tokio::test]
async fn what_was_refunded_long_ago_is_not_refunded_again() {
    let server = started(1_000).await;
    let first = deducted(&server, 300).await;
    assert_eq!(refund(&server, &first, Some(100)).await.status, 201);
    // More than an account remembers.
    for _ in 0..2 {
        let spent = batch(&server, (0..600).map(|_| json!({ "command": "deduct", "amount": 1 }))).await;
        let refunds = spent.iter().map(|answer| {
            let id = &answer["body"]["deduction_id"];
            json!({ "command": "refund", "deduction_id": id, "reason": "failed" })
        });
        let refunded = batch(&server, refunds).await;
        assert!(refunded.iter().all(|answer| answer["status"] == 201), "{refunded:?}");
    }

    let refused = refund(&server, &first, Some(201)).await;
    refused.is_problem(409, "refund_exceeds_deduction");
    assert_eq!(
        (&refused.body["deducted"], &refused.body["refunded"], &refused.body["requested"]),
        (&json!(300), &json!(100), &json!(201))
    );
    let rest = refund(&server, &first, None).await;
    assert_eq!((rest.status.as_u16(), &rest.body["amount"]), (201, &json!(200)), "{}", rest.text);
    refund(&server, &first, None).await.is_problem(409, "refund_exceeds_deduction");
    assert_eq!(server.balance("acme").await["available"], 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_the_same_time_give_back_all_and_no_more() {
    let server = started(2_000).await;
    let first = deducted(&server, 90).await;
    let ones =
        || (0..75).map(|_| json!({ "command": "refund", "deduction_id": first, "amount": 1, "reason": "r" }));
    let (one, other) = tokio::join!(batch(&server, ones()), batch(&server, ones()));
    let all: Vec<&Value> = one.iter().chain(&other).collect();
    let done = all.iter().filter(|answer| answer["status"] == 201).count();
    let over = all.iter().filter(|answer| answer["body"]["code"] == "refund_exceeds_deduction").count();
    assert_eq!((done, over), (90, 60), "{all:?}");
    assert_eq!(server.balance("acme").await["available"], 2_000);
}
