//! The examples that callers rely on, to the letter.

use serde_json::{Value, json};

use crate::support::http::Server;

#[tokio::test]
async fn an_account_is_opened_once() {
    let server = Server::start().await;
    let opened = server.open("acme").await;
    assert_eq!(opened.status, 201);
    let balance = r#"{"available":50,"held":0,"settled":50,"debt":0}"#;
    let position = opened.body["position"].as_str().unwrap();
    assert_eq!(
        opened.text,
        format!(
            r#"{{"account":"acme","plan":"free","status":"open","balance":{balance},"metadata":{{}},"position":"{position}"}}"#
        )
    );
    let again = server.open("acme").await;
    assert_eq!((again.status.as_u16(), &again.body["balance"]), (200, &opened.body["balance"]));
}

#[tokio::test]
async fn a_generation_is_paid_once() {
    let server = Server::start().await;
    server.open("acme").await;
    let path = "/v1/accounts/acme/generations";
    let body = json!({ "type": "standard_generation", "generation_id": "gen_1" });
    let first = server.post(path, body.clone()).without("idempotency-key").send().await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.body["generation_id"], "gen_1");
    assert_eq!(first.body["amount"], 5);
    assert_eq!(first.body["draws"], json!([{ "grant_id": "signup", "amount": 5 }]));
    assert_eq!(first.body["balance"]["available"], 45);
    assert_eq!(first.header("idempotent-replayed"), None);

    let again = server.post(path, body).without("idempotency-key").send().await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    let other = json!({ "type": "extended_generation", "generation_id": "gen_1" });
    let other = server.post(path, other).without("idempotency-key").send().await;
    other.is_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_deduction_that_cannot_be_paid_says_what_would_help() {
    let server = Server::start().await;
    server.open("acme").await;
    let refused = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1000 })).send().await;
    refused.is_problem(402, "insufficient_credits");
    assert_eq!(refused.body["requested"], 1000);
    assert_eq!(refused.body["available"], 50);
    assert_eq!(refused.body["upgrade"], "creator");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.body["request_id"].as_str(), refused.header("x-request-id"));
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let server = Server::start().await;
    server.open("acme").await;
    let deduct = || {
        server
            .post("/v1/accounts/acme/deductions", json!({ "amount": 60 }))
            .header("idempotency-key", "order-1")
    };
    deduct().send().await.is_problem(402, "insufficient_credits");
    server.grant("acme", 10).await;
    assert_eq!(deduct().send().await.status, 201);
}

#[tokio::test]
async fn a_feature_that_the_plan_lacks_is_refused_with_the_plans_that_have_it() {
    let server = Server::start().await;
    server.open("acme").await;
    let body = json!({ "type": "stem_separation" });
    let refused = server.post("/v1/accounts/acme/generations", body).send().await;
    refused.is_problem(403, "feature_not_in_plan");
    assert_eq!(refused.body["plans"], json!(["creator", "team"]));
}

#[tokio::test]
async fn a_limit_says_when_it_resets() {
    let server = Server::start().await;
    server.open("acme").await;
    let body = json!({ "type": "instrumental_only" });
    for _ in 0..5 {
        let made = server.post("/v1/accounts/acme/generations", body.clone()).send().await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let refused = server.post("/v1/accounts/acme/generations", body).send().await;
    refused.is_problem(429, "limit_reached");
    assert_eq!(refused.body["resets_at"], "2026-11-21T00:00:00Z");
    assert_eq!(refused.body["windows"][0]["remaining"], 0);
    assert_eq!(refused.header("retry-after"), Some("43200"), "it is noon");
}

#[tokio::test]
async fn a_hold_is_resolved_once() {
    let server = Server::start().await;
    server.open("acme").await;
    let held =
        server.post("/v1/accounts/acme/holds", json!({ "amount": 20, "expires_in_s": 600 })).send().await;
    assert_eq!(held.status, 201, "{}", held.text);
    assert_eq!(held.body["expires_at"], "2026-11-20T12:10:00Z");
    assert_eq!(held.body["balance"], json!({ "available": 30, "held": 20, "settled": 50, "debt": 0 }));
    let hold = held.body["hold_id"].as_str().unwrap().to_owned();
    let commit = format!("/v1/accounts/acme/holds/{hold}/commit");

    let done = server.post(&commit, json!({ "amount": 12 })).header("idempotency-key", "k").send().await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.body["balance"]["available"], 38);
    let again = server.post(&commit, json!({ "amount": 12 })).header("idempotency-key", "k").send().await;
    assert_eq!(again.text, done.text);
    let refused = server.post(&commit, json!({ "amount": 12 })).send().await;
    refused.is_problem(409, "hold_already_resolved");
    assert_eq!(refused.body["outcome"], "committed");
    assert_eq!(refused.body["amount"], 12);

    let refund = json!({ "deduction_id": hold, "reason": "failed" });
    let refunded = server.post("/v1/accounts/acme/refunds", refund).send().await;
    assert_eq!((refunded.status.as_u16(), &refunded.body["amount"]), (201, &json!(12)), "{}", refunded.text);
    assert_eq!(refunded.body["balance"]["available"], 50);
}

#[tokio::test]
async fn a_generation_can_be_held_and_committed() {
    let server = Server::start().await;
    server.open("acme").await;
    let body = json!({ "type": "standard_generation", "generation_id": "gen_7", "hold": true });
    let held = server.post("/v1/accounts/acme/generations", body).send().await;
    assert_eq!((held.status.as_u16(), &held.body["generation_id"]), (201, &json!("gen_7")));
    let hold = held.body["hold_id"].as_str().unwrap();
    let commit = format!("/v1/accounts/acme/holds/{hold}/commit");
    let done = server.post(&commit, json!({})).send().await;
    assert_eq!((done.status.as_u16(), &done.body["amount"]), (200, &json!(5)), "{}", done.text);
    let refund = json!({ "generation_id": "gen_7", "reason": "failed" });
    let refunded = server.post("/v1/accounts/acme/refunds", refund).send().await;
    assert_eq!(refunded.status, 201, "{}", refunded.text);
    let limits = server.get("/v1/accounts/acme/limits").send().await;
    assert_eq!(limits.body["limits"][0]["used"], 0, "a generation that was given back does not count");
}

#[tokio::test]
async fn a_generation_is_refunded_by_its_id() {
    let server = Server::start().await;
    server.open("acme").await;
    let body = json!({ "type": "standard_generation", "generation_id": "gen_1" });
    server.post("/v1/accounts/acme/generations", body).send().await;
    let refund = json!({ "generation_id": "gen_1", "reason": "failed" });
    let refunded = server.post("/v1/accounts/acme/refunds", refund.clone()).send().await;
    assert_eq!((refunded.status.as_u16(), &refunded.body["amount"]), (201, &json!(5)), "{}", refunded.text);
    let again = server.post("/v1/accounts/acme/refunds", refund).send().await;
    again.is_problem(409, "refund_exceeds_deduction");
    let unknown = json!({ "generation_id": "gen_2", "reason": "failed" });
    let unknown = server.post("/v1/accounts/acme/refunds", unknown).send().await;
    unknown.is_problem(404, "deduction_not_found");
}

#[tokio::test]
async fn a_quote_changes_nothing_and_says_why_not() {
    let server = Server::start().await;
    server.open("acme").await;
    let quote = |body: Value| server.post("/v1/accounts/acme/quote", body).send();
    let allowed = quote(json!({ "type": "standard_generation", "options": { "quality": "high" } })).await;
    assert_eq!(allowed.body["amount"], 7);
    assert_eq!(allowed.body["allowed"], true);
    let not = quote(json!({ "type": "stem_separation" })).await;
    assert_eq!((&not.body["allowed"], &not.body["amount"]), (&json!(false), &json!(15)));
    assert_eq!(not.body["refusal"]["code"], "feature_not_in_plan");
    assert_eq!(not.body["refusal"]["plans"], json!(["creator", "team"]));
    assert_eq!(server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn a_balance_is_as_of_the_position_that_was_asked_for() {
    let server = Server::start().await;
    server.open("acme").await;
    let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": 8 })).send().await;
    let position = spent.body["position"].as_str().unwrap();
    let read = server.get(&format!("/v1/accounts/acme/balance?min_position={position}")).send().await;
    assert_eq!((read.status.as_u16(), &read.body["available"]), (200, &json!(42)));
    assert_eq!(read.header("counterfoil-position"), Some(position));
    assert_eq!(read.header("counterfoil-lag-ms"), Some("0"));
    let ahead = server.get("/v1/accounts/acme/balance?min_position=p0-999").send().await;
    ahead.is_problem(422, "position_unknown");
    let invalid = server.get("/v1/accounts/acme/balance?min_position=999").send().await;
    invalid.is_problem(400, "invalid_parameter");
    assert_eq!(invalid.body["path"], "min_position");
}

#[tokio::test]
async fn a_grant_pays_and_an_adjustment_takes() {
    let server = Server::start().await;
    server.open("acme").await;
    let grant = json!({ "source": "bonus", "amount": 100, "reason": "welcome" });
    let call = || server.post("/v1/accounts/acme/grants", grant.clone()).header("idempotency-key", "g1");
    let first = call().send().await;
    assert_eq!((first.status.as_u16(), &first.body["balance"]["available"]), (201, &json!(150)));
    assert_eq!(call().send().await.text, first.text, "a grant that is repeated is the same grant");
    let taken = json!({ "amount": 30, "reason": "too many" });
    let taken = server.post("/v1/accounts/acme/adjustments", taken).send().await;
    assert_eq!((taken.status.as_u16(), &taken.body["balance"]["available"]), (201, &json!(120)));
}

#[tokio::test]
async fn a_closed_account_takes_nothing_more() {
    let server = Server::start().await;
    server.open("acme").await;
    let closed = server.post("/v1/accounts/acme/close", json!({ "reason": "left" })).send().await;
    assert_eq!((closed.status.as_u16(), &closed.body["status"]), (200, &json!("closed")));
    let refused = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send().await;
    refused.is_problem(409, "account_closed");
    server.open("acme").await.is_problem(409, "account_closed");
    let seen = server.get("/v1/accounts/acme").send().await;
    assert_eq!(seen.body["status"], "closed");
}
