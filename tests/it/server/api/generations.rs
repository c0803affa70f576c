//! One generation is charged once, and given back whole.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::http::{Answer, Server};

const PATH: &str = "/v1/accounts/acme/generations";

async fn started() -> Server {
    let server = Server::start().await;
    server.open("acme").await;
    server
}

fn work(id: &str) -> Value {
    json!({ "type": "standard_generation", "generation_id": id })
}

async fn refund(server: &Server, body: Value) -> Answer {
    server.post("/v1/accounts/acme/refunds", body).send().await
}

async fn available(server: &Server) -> i64 {
    server.balance("acme").await["available"].as_i64().unwrap()
}

#[tokio::test]
async fn whatever_key_a_client_adds_a_generation_is_charged_once() {
    let server = started().await;
    // `post` sends a key that no other call has.
    let first = server.post(PATH, work("gen_1")).send().await;
    assert_eq!(first.status, 201, "{}", first.text);
    for call in
        [server.post(PATH, work("gen_1")), server.call(reqwest::Method::POST, PATH).json(work("gen_1"))]
    {
        let again = call.send().await;
        assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    let item = json!({ "account": "acme", "command": "generate", "idempotency_key": "other",
        "type": "standard_generation", "generation_id": "gen_1" });
    let batch = server.post("/v1/commands", json!([item, item])).send().await;
    assert!(
        batch.body.as_array().unwrap().iter().all(|answer| answer["body"] == first.body),
        "{}",
        batch.text
    );
    assert_eq!(available(&server).await, 45);
}

#[tokio::test]
async fn many_at_once_under_as_many_keys_charge_once() {
    let server = started().await;
    let answers = join_all((0..50).map(|_| server.post(PATH, work("gen_1")).send())).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(available(&server).await, 45);
}

#[tokio::test]
async fn other_work_under_the_same_id_is_refused_and_so_is_the_same_key_for_another_id() {
    let server = started().await;
    server.post(PATH, work("gen_1")).header("idempotency-key", "k1").send().await;
    let held = json!({ "type": "standard_generation", "generation_id": "gen_1", "hold": true });
    let larger = json!({ "type": "extended_generation", "generation_id": "gen_1" });
    for body in [held, larger] {
        let refused = server.post(PATH, body).send().await;
        refused.is_problem(422, "idempotency_key_reused");
    }
    let other = server.post(PATH, work("gen_2")).header("idempotency-key", "k1").send().await;
    other.is_problem(422, "idempotency_key_reused");
    assert_eq!(available(&server).await, 45);
    // A generation of another account is another one.
    server.open("other").await;
    let elsewhere = server.post("/v1/accounts/other/generations", work("gen_1")).send().await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.header("idempotent-replayed")), (201, None));
}

#[tokio::test]
async fn what_was_refused_can_be_charged_later() {
    let server = started().await;
    let dear = json!({ "type": "stem_separation", "generation_id": "gen_1" });
    server.post(PATH, dear).send().await.is_problem(403, "feature_not_in_plan");
    assert_eq!(server.post(PATH, work("gen_1")).send().await.status, 201);
}

#[tokio::test]
async fn a_refund_by_its_id_gives_everything_back_that_was_charged_for_it() {
    let server = started().await;
    let body = json!({ "type": "standard_generation", "generation_id": "gen_1", "hold": true });
    let held = server.post(PATH, body).send().await;
    let commit = format!("/v1/accounts/acme/holds/{}/commit", held.body["hold_id"].as_str().unwrap());
    let committed = server.post(&commit, json!({ "amount": 8, "excess": "take" })).send().await;
    assert_eq!(committed.body["beyond_amount"], 3, "{}", committed.text);
    let more = json!({ "amount": 4, "generation_id": "gen_1" });
    let more = server.post("/v1/accounts/acme/deductions", more).send().await;
    let unrelated = json!({ "amount": 1, "generation_id": "gen_10" });
    server.post("/v1/accounts/acme/deductions", unrelated).send().await;
    assert_eq!(available(&server).await, 37);

    let part = refund(&server, json!({ "generation_id": "gen_1", "amount": 6, "reason": "failed" })).await;
    assert_eq!((part.status.as_u16(), &part.body["amount"]), (201, &json!(6)), "{}", part.text);
    let newest = &more.body["deduction_id"];
    let expected = json!([
        { "deduction_id": newest, "amount": 4 },
        { "deduction_id": committed.body["beyond_deduction_id"], "amount": 2 },
    ]);
    assert_eq!((&part.body["deduction_id"], &part.body["deductions"]), (newest, &expected));

    let key = ("idempotency-key", "rest");
    let rest = json!({ "generation_id": "gen_1", "reason": "failed" });
    let call = || server.post("/v1/accounts/acme/refunds", rest.clone()).header(key.0, key.1).send();
    let rest = call().await;
    assert_eq!((rest.status.as_u16(), &rest.body["amount"]), (201, &json!(6)), "{}", rest.text);
    assert_eq!(available(&server).await, 49);
    // More is charged before the answer, which was lost, is asked for again.
    server
        .post("/v1/accounts/acme/deductions", json!({ "amount": 1, "generation_id": "gen_1" }))
        .send()
        .await;
    assert_eq!(call().await.body, rest.body);
    let too_much =
        refund(&server, json!({ "generation_id": "gen_1", "amount": 2, "reason": "failed" })).await;
    too_much.is_problem(409, "refund_exceeds_deduction");
    assert_eq!((&too_much.body["deducted"], &too_much.body["refunded"]), (&json!(13), &json!(12)));
}

#[tokio::test]
async fn what_has_very_many_charges_is_refunded_one_by_one() {
    let server = started().await;
    server.grant("acme", 100).await;
    let item = |number: usize| {
        json!({ "account": "acme", "command": "deduct", "amount": 1, "generation_id": "gen_1",
        "idempotency_key": number.to_string() })
    };
    server.post("/v1/commands", json!((0..101).map(item).collect::<Vec<_>>())).send().await;
    let refused = refund(&server, json!({ "generation_id": "gen_1", "reason": "failed" })).await;
    refused.is_problem(409, "too_many_deductions");
    assert_eq!(refused.body["deductions_max"], 100);
    assert_eq!(available(&server).await, 49);
}
