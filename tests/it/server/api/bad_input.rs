//! What is refused before it reaches the rules, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::http::{Answer, Server};

async fn deduct(server: &Server, body: Value) -> Answer {
    server.post("/v1/accounts/acme/deductions", body).send().await
}

async fn raw(server: &Server, body: &str) -> Answer {
    let call = server.post("/v1/accounts/acme/deductions", Value::Null);
    call.bytes(body.as_bytes().to_vec(), "application/json").send().await
}

fn is_at(answer: &Answer, status: u16, code: &str, path: &str) {
    answer.is_problem(status, code);
    assert_eq!(answer.body["path"], path, "{}", answer.text);
}

#[tokio::test]
async fn amounts_that_are_none_are_refused_with_their_path() {
    let server = Server::start().await;
    server.open("acme").await;
    for amount in ["0", "-1", "1.5", "1e3", "9223372036854775808", "99999999999999999999999", "\"5\"", "null"]
    {
        let answer = raw(&server, &format!(r#"{{"amount":{amount}}}"#)).await;
        is_at(&answer, 422, "invalid_request", "$.amount");
    }
    is_at(&deduct(&server, json!({})).await, 422, "invalid_request", "$.amount");
    assert_eq!(server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn the_largest_amount_is_understood() {
    let server = Server::start().await;
    server.open("acme").await;
    let answer = deduct(&server, json!({ "amount": i64::MAX })).await;
    answer.is_problem(402, "insufficient_credits");
    let grant = json!({ "source": "bonus", "amount": i64::MAX, "reason": "all of it" });
    let answer = server.post("/v1/accounts/acme/grants", grant).send().await;
    answer.is_problem(422, "amount_too_large");
}

#[tokio::test]
async fn unknown_and_misshapen_fields_are_refused_with_their_path() {
    let server = Server::start().await;
    server.open("acme").await;
    is_at(&deduct(&server, json!({ "amount": 1, "amuont": 1 })).await, 422, "invalid_request", "$.amuont");
    is_at(
        &deduct(&server, json!({ "amount": 1, "generation_id": "a b" })).await,
        422,
        "invalid_request",
        "$.generation_id",
    );
    is_at(
        &deduct(&server, json!({ "amount": 1, "description": "a\u{0}b" })).await,
        422,
        "invalid_request",
        "$.description",
    );
    let options = json!({ "type": "standard_generation", "options": { "quality": 3 } });
    let answer = server.post("/v1/accounts/acme/generations", options).send().await;
    is_at(&answer, 422, "invalid_request", "$.options.quality");
    let unknown = json!({ "type": "standard_generation", "options": { "quality": "none" } });
    let answer = server.post("/v1/accounts/acme/generations", unknown).send().await;
    is_at(&answer, 422, "unknown_option_value", "$.options.quality");
    raw(&server, r#"{"amount":1,"amount":2}"#).await.is_problem(422, "invalid_request");
}

/// The second value of a name would count, which nobody may have meant.
#[tokio::test]
async fn a_name_that_is_there_twice_is_refused_where_the_caller_chooses_the_names() {
    let server = Server::start().await;
    server.open("acme").await;
    for (path, body, place) in [
        ("/v1/accounts/acme/generations", GENERATION_TWICE, "$.options"),
        ("/v1/accounts/acme/quote", GENERATION_TWICE, "$.options"),
        ("/v1/accounts/ada/import", r#"{"metadata":{"team":"a","team":"b"}}"#, "$.metadata"),
    ] {
        let call = server.post(path, Value::Null).bytes(body.as_bytes().to_vec(), "application/json");
        let answer = call.send().await;
        is_at(&answer, 422, "invalid_request", place);
        assert!(answer.text.contains("duplicate field `"), "{}", answer.text);
    }
    assert_eq!(server.balance("acme").await["available"], 50);
}

const GENERATION_TWICE: &str =
    r#"{"type":"standard_generation","options":{"quality":"standard","quality":"high"}}"#;

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let server = Server::start().await;
    server.open("acme").await;
    for body in ["", "{", "{\"amount\":1}}", "amount=1", "{\"amount\":01}", "\u{feff}{}"] {
        raw(&server, body).await.is_problem(400, "invalid_json");
    }
    raw(&server, "[]").await.is_problem(422, "invalid_request");
    let invalid_utf8 = server.post("/v1/accounts/acme/deductions", Value::Null);
    let invalid_utf8 =
        invalid_utf8.bytes(b"{\"description\":\"\xff\"}".to_vec(), "application/json").send().await;
    invalid_utf8.is_problem(400, "invalid_json");
}

#[tokio::test]
async fn bodies_are_json_of_a_bounded_size() {
    let server = Server::start().await;
    server.open("acme").await;
    let call = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
    call.bytes(b"{\"amount\":1}".to_vec(), "text/plain")
        .send()
        .await
        .is_problem(415, "unsupported_media_type");
    let call = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
    call.without("content-type").send().await.is_problem(415, "unsupported_media_type");
    for (kind, status) in [
        ("application/json; charset=utf-8", 422),
        ("application/json;Charset=\"UTF-8\"", 422),
        ("application/json; charset=latin1", 415),
        ("application/json; profile=x; charset=utf-16", 415),
        ("application/json; charset=utf-8; charset=latin1", 415),
        ("application/jsonp", 415),
    ] {
        let call = server.post("/v1/accounts/acme/deductions", Value::Null).bytes(b"{}".to_vec(), kind);
        assert_eq!(call.send().await.status, status, "{kind}");
    }
    let long = format!(r#"{{"amount":1,"description":"{}"}}"#, "x".repeat(70_000));
    raw(&server, &long).await.is_problem(413, "body_too_large");
    let signature = format!("t={},v1={}", server.test.clock.now().seconds(), "0".repeat(64));
    for (path, bytes) in [("/v1/commands", 2_200_000), ("/v1/webhooks/stripe", 1_100_000)] {
        let call = server.post(path, Value::Null).bytes(vec![b' '; bytes], "application/json");
        call.header("stripe-signature", &signature).send().await.is_problem(413, "body_too_large");
    }
    assert_eq!(server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn ids_and_keys_have_a_form() {
    let server = Server::start().await;
    let answer = server.call(Method::PUT, "/v1/accounts/a%20b").send().await;
    is_at(&answer, 400, "invalid_parameter", "account");
    let answer = server.call(Method::PUT, &format!("/v1/accounts/{}", "a".repeat(129))).send().await;
    is_at(&answer, 400, "invalid_parameter", "account");
    let answer = server.open(&"a".repeat(128)).await;
    assert_eq!(answer.status, 201);
    server.open("acme").await;
    let deduct = || server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
    let answer = deduct().without("idempotency-key").send().await;
    is_at(&answer, 400, "idempotency_key_missing", "Idempotency-Key");
    let answer = deduct().header("idempotency-key", "with blanks").send().await;
    is_at(&answer, 400, "invalid_parameter", "Idempotency-Key");
    let answer = deduct().header("idempotency-key", &"k".repeat(256)).send().await;
    is_at(&answer, 400, "invalid_parameter", "Idempotency-Key");
    // Of two keys nobody knows which is meant. Names of headers have no case.
    let answer = deduct().header("idempotency-key", "one").header("Idempotency-Key", "two").send().await;
    is_at(&answer, 400, "invalid_parameter", "Idempotency-Key");
    assert_eq!(server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn unknown_accounts_addresses_and_methods_are_told_apart() {
    let server = Server::start().await;
    server.get("/v1/accounts/nobody/balance").send().await.is_problem(404, "account_not_found");
    server.get("/v1/accounts/nobody/statement").send().await.is_problem(404, "account_not_found");
    let answer = server.post("/v1/accounts/nobody/deductions", json!({ "amount": 1 })).send().await;
    answer.is_problem(404, "account_not_found");
    let refund = json!({ "generation_id": "gen_1", "reason": "failed" });
    let answer = server.post("/v1/accounts/nobody/refunds", refund).send().await;
    answer.is_problem(404, "account_not_found");
    server.get("/v1/nothing").send().await.is_problem(404, "route_not_found");
    server.call(Method::DELETE, "/v1/accounts/acme").send().await.is_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let server = Server::start().await;
    server.open("acme").await;
    for (query, path) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("from=yesterday", "from"),
        ("type=nothing", "type"),
        ("colour=red", "colour"),
    ] {
        let answer = server.get(&format!("/v1/accounts/acme/statement?{query}")).send().await;
        is_at(&answer, 400, "invalid_parameter", path);
    }
    for read in [
        "analytics/mrr",
        "analytics/movements",
        "analytics/usage",
        "analytics/credits",
        "accounts/acme/usage",
    ] {
        let answer = server.get(&format!("/v1/{read}?from=yesterday&to=2025-06-01")).send().await;
        is_at(&answer, 400, "invalid_parameter", "from");
        assert!(answer.text.contains("a day is expected, such as 2026-03-31"), "{}", answer.text);
    }
    for read in ["analytics/mrr", "accounts/acme/usage", "accounts/acme/statement"] {
        let answer = server.get(&format!("/v1/{read}?from=2025-06-02&to=2025-06-01")).send().await;
        is_at(&answer, 400, "invalid_parameter", "to");
        assert!(answer.text.contains("it is before `from`"), "{}", answer.text);
        let day = server.get(&format!("/v1/{read}?from=2025-06-02&to=2025-06-02")).send().await;
        assert_eq!(day.status, 200, "{}", day.text);
    }
    let earlier = "/v1/accounts/acme/statement?from=2025-06-02&to=2025-06-01T12:00:00Z";
    is_at(&server.get(earlier).send().await, 400, "invalid_parameter", "to");
}

#[tokio::test]
async fn what_is_expected_is_said_in_the_words_of_the_caller() {
    let server = Server::start().await;
    server.open("acme").await;
    for (path, expected) in [
        ("accounts/acme/statement?limit=abc", "limit: a page has 1 to 1000 items"),
        ("accounts/acme/statement?limit=-1", "limit: a page has 1 to 1000 items"),
        ("accounts/acme/statement?limit=", "limit: a page has 1 to 1000 items"),
        ("inbox?cursor=abc", "cursor: a whole number is expected"),
        (
            "accounts/acme/statement?from=2026-03-31T12:00:00+02:00",
            "from: a time as in RFC 3339 is expected, such as 2026-03-31T12:00:00Z, or a day, such as 2026-03-31; in a \
             query, + is written %2B",
        ),
        (
            "audit/accounts/acme/replay?as_of=2026-03-31T12:00:00+02:00",
            "as_of: a time is written as in RFC 3339, such as 2025-06-01T00:00:00Z; in a query, + is written %2B",
        ),
    ] {
        let answer = server.get(&format!("/v1/{path}")).send().await;
        assert_eq!((answer.status.as_u16(), &answer.body["detail"]), (400, &json!(expected)), "{path}");
    }
    let generation =
        json!({ "type": "standard_generation", "generation_id": "gen_1", "hold": true, "expires_in_s": "x" });
    let hold = json!({ "amount": 1, "expires_in_s": -1 });
    let grant = json!({ "source": "bonus", "amount": 1, "reason": "x", "priority": 256 });
    let import = json!({ "grants": [3] });
    for (command, body, expected) in [
        (
            "generations",
            generation,
            "$.expires_in_s: invalid type: string \"x\", expected a whole number from 0 to 4294967295",
        ),
        (
            "holds",
            hold,
            "$.expires_in_s: invalid value: integer `-1`, expected a whole number from 0 to 4294967295",
        ),
        ("grants", grant, "$.priority: invalid value: integer `256`, expected a whole number from 0 to 255"),
        ("import", import, "$.grants[0]: invalid type: integer `3`, expected an object"),
    ] {
        let answer = server.post(&format!("/v1/accounts/acme/{command}"), body).send().await;
        assert_eq!((answer.status.as_u16(), &answer.body["detail"]), (422, &json!(expected)), "{command}");
    }
    // Where the id of the work can stand for the key, it is named.
    let call = |command: &str, body| server.post(&format!("/v1/accounts/acme/{command}"), body);
    let work = call("generations", json!({ "type": "standard_generation" })).without("idempotency-key");
    let work = work.send().await;
    work.is_problem(400, "idempotency_key_missing");
    assert!(work.body["advice"].as_str().unwrap().contains("`generation_id`"), "{}", work.text);
    let spent = call("deductions", json!({ "amount": 1 })).without("idempotency-key").send().await;
    spent.is_problem(400, "idempotency_key_missing");
    assert!(!spent.body["advice"].as_str().unwrap().contains("generation_id"), "{}", spent.text);
}

#[tokio::test]
async fn request_ids_are_taken_over_when_they_are_well_formed() {
    let server = Server::start().await;
    server.open("acme").await;
    let spend = |id: &'static str| {
        let call = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 }));
        call.header("x-request-id", id).send()
    };
    assert_eq!(spend("order-7").await.header("x-request-id"), Some("order-7"));
    let made = spend("not well formed").await;
    assert_ne!(made.header("x-request-id"), Some("not well formed"));
    let events = server.get("/v1/accounts/acme/events").send().await;
    let deducted = events.body["events"].as_array().unwrap().iter();
    let ids: Vec<_> = deducted
        .filter(|event| event["type"] == "CreditsDeducted")
        .map(|event| event["metadata"]["correlation_id"].as_str())
        .collect();
    // An id that nobody chose is in the answer and in the log, and not kept for ever.
    assert_eq!(ids, [Some("order-7"), None]);
}
