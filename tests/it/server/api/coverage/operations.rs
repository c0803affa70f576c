//! What is asked by operators: the inbox and the keys.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Case, case, get, post};
use crate::support::http::Server;

pub(super) async fn cases(server: &Server) -> BTreeMap<&'static str, Case> {
    let event = |id: &str| {
        let text = include_str!("../../../support/webhooks/2025-basil/customer.created.json");
        let mut event: Value = serde_json::from_str(text).expect("JSON");
        event["id"] = id.into();
        // Of the other mode: it is set aside, and waits for a person.
        event["livemode"] = true.into();
        event
    };
    server.deliver(&event("evt_1")).await;
    server.deliver(&event("evt_2")).await;
    let made = server.post("/v1/api-keys", json!({ "name": "n", "scopes": ["read"] })).send().await;
    let key = made.body["key"]["id"].as_str().expect("an id");
    let retry = |id: &str| (Method::POST, format!("/v1/inbox/{id}/retry"), None);
    let keys = "/v1/api-keys";
    let revoke = |id: &str| (Method::DELETE, format!("{keys}/{id}"), None);
    BTreeMap::from([
        (
            "receive_stripe_event",
            case(
                post("/v1/webhooks/stripe", event("evt_3")),
                post("/v1/webhooks/stripe", json!({})),
                400,
                post("/v1/webhooks/stripe", json!("no event")),
            ),
        ),
        (
            "list_inbox",
            Case { success: get("/v1/inbox?limit=1"), refusal: None, bad: Some(get("/v1/inbox?state=lost")) },
        ),
        (
            "get_inbox_event",
            case(get("/v1/inbox/evt_1"), get("/v1/inbox/evt_9"), 404, get("/v1/inbox/evt%209")),
        ),
        ("retry_inbox_event", case(retry("evt_1"), retry("evt_9"), 404, retry("evt%209"))),
        (
            "discard_inbox_event",
            case(
                post("/v1/inbox/evt_2/discard", json!({ "reason": "a test" })),
                post("/v1/inbox/evt_2/discard", json!({ "reason": "a test" })),
                409,
                post("/v1/inbox/evt_2/discard", json!({})),
            ),
        ),
        (
            "create_api_key",
            Case {
                success: post(keys, json!({ "name": "n", "scopes": ["read"] })),
                refusal: None,
                bad: Some(post(keys, json!({ "name": "n", "scopes": [] }))),
            },
        ),
        ("revoke_api_key", case(revoke(key), revoke("key_0"), 404, revoke("a%20b"))),
    ])
}
