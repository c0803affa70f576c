//! Many commands in one request.

use serde_json::{Value, json};

use counterfoil::auth::keys::KeyScope;

use crate::support::http::Server;

fn statuses(body: &Value) -> Vec<i64> {
    body.as_array().unwrap().iter().map(|item| item["status"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn each_command_is_answered_on_its_own_and_in_order() {
    let server = Server::start().await;
    server.open("acme").await;
    server.open("other").await;
    let batch = json!([
        { "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "k1" },
        { "account": "acme", "command": "deduct", "amount": 1000, "idempotency_key": "k2" },
        { "account": "other", "command": "generate", "type": "standard_generation", "generation_id": "gen_1" },
        { "account": "other", "command": "deduct", "amount": 0, "idempotency_key": "k3" },
        { "account": "other", "command": "deduct", "amount": 1 },
        { "account": "nobody", "command": "deduct", "amount": 1, "idempotency_key": "k4" },
        { "account": "new", "command": "open" },
        { "account": "acme", "command": "hold", "amount": 5, "idempotency_key": "k5", "colour": "red" },
        { "account": "acme", "command": "commit", "idempotency_key": "k6", "hold_id": "hold_99" },
        { "account": "acme", "command": "dance", "idempotency_key": "k7" },
        7,
    ]);
    let answer = server.post("/v1/commands", batch).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(statuses(&answer.body), [201, 402, 201, 422, 400, 404, 201, 422, 404, 422, 422]);
    assert_eq!(answer.body[0]["body"]["balance"]["available"], 49);
    assert_eq!(answer.body[1]["body"]["code"], "insufficient_credits");
    assert_eq!(answer.body[3]["body"]["path"], "$.amount");
    assert_eq!(answer.body[4]["body"]["code"], "idempotency_key_missing");
    assert_eq!(answer.body[7]["body"]["path"], "$.colour");
    assert_eq!(answer.body[9]["body"]["path"], "$.command");
}

#[tokio::test]
async fn repeated_items_are_answered_the_same() {
    let server = Server::start().await;
    server.open("acme").await;
    let item = json!({ "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "k1" });
    let first = server.post("/v1/commands", json!([item])).send().await;
    let again = server.post("/v1/commands", json!([item, item])).send().await;
    for answer in again.body.as_array().unwrap() {
        assert_eq!(answer["body"], first.body[0]["body"]);
        assert_eq!(answer["idempotent_replayed"], true);
    }
    // The same key means the same request, through whichever door it comes.
    let single = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
    let single = single.header("idempotency-key", "k1").send().await;
    assert_eq!(single.body, first.body[0]["body"]);
    assert_eq!(server.balance("acme").await["available"], 49);
}

#[tokio::test]
async fn a_thousand_commands_are_taken_and_one_more_is_not() {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 950).await;
    let batch = |count: usize| {
        let item = |number| json!({ "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": format!("k{number}") });
        Value::Array((0..count).map(item).collect())
    };
    server.post("/v1/commands", batch(1001)).send().await.is_problem(422, "invalid_request");
    assert_eq!(server.balance("acme").await["available"], 1000);
    let answer = server.post("/v1/commands", batch(1000)).send().await;
    assert!(statuses(&answer.body).iter().all(|status| *status == 201));
    assert_eq!(server.balance("acme").await["available"], 0);
}

#[tokio::test]
async fn every_kind_of_command_works_in_a_batch() {
    let server = Server::start().await;
    server.open("acme").await;
    let run = async |mut item: Value| {
        item["account"] = "acme".into();
        item["idempotency_key"] = uuid::Uuid::new_v4().to_string().into();
        let answer = server.post("/v1/commands", json!([item])).send().await;
        let status = answer.body[0]["status"].as_i64().unwrap();
        assert!(status < 300, "{}", answer.text);
        answer.body[0]["body"].clone()
    };
    let hold = run(json!({ "command": "hold", "amount": 5 })).await;
    run(json!({ "command": "extend", "hold_id": hold["hold_id"], "expires_in_s": 60 })).await;
    run(json!({ "command": "commit", "hold_id": hold["hold_id"], "amount": 2 })).await;
    let hold = run(json!({ "command": "generate", "type": "standard_generation", "hold": true })).await;
    run(json!({ "command": "release", "hold_id": hold["hold_id"] })).await;
    let spent = run(json!({ "command": "deduct", "amount": 3 })).await;
    run(json!({ "command": "refund", "deduction_id": spent["deduction_id"], "reason": "no" })).await;
    run(json!({ "command": "grant", "source": "bonus", "amount": 3, "reason": "yes" })).await;
    run(json!({ "command": "adjust", "amount": 3, "reason": "no" })).await;
    run(json!({ "command": "close", "reason": "enough" })).await;
}

#[tokio::test]
async fn a_key_does_in_a_batch_what_it_may_do_alone() {
    let server = Server::start().await;
    server.open("acme").await;
    server.open("other").await;
    let key = server.key([KeyScope::Deduct], Some(&["acme"])).await;
    let batch = json!([
        { "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "k1" },
        { "account": "other", "command": "deduct", "amount": 1, "idempotency_key": "k1" },
        { "account": "acme", "command": "grant", "source": "bonus", "amount": 1, "reason": "r", "idempotency_key": "k2" },
    ]);
    let answer = server.post("/v1/commands", batch).key(&key).send().await;
    assert_eq!(statuses(&answer.body), [201, 403, 403]);
    assert_eq!(answer.body[1]["body"]["code"], "account_not_allowed");
    assert_eq!(answer.body[2]["body"]["code"], "scope_missing");
}
