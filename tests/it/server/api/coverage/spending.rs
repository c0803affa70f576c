//! What is asked by whoever spends: deductions, generations, holds and refunds.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::{Case, case, post};
use crate::support::http::Server;

async fn hold(server: &Server) -> String {
    let held = server.post("/v1/accounts/acme/holds", json!({ "amount": 1 })).send().await;
    held.body["hold_id"].as_str().expect("a hold").to_owned()
}

pub(super) async fn cases(server: &Server) -> BTreeMap<&'static str, Case> {
    let acme = "/v1/accounts/acme";
    let too_much = i64::MAX;
    let (held, other) = (hold(server).await, hold(server).await);
    let (third, fourth) = (hold(server).await, hold(server).await);
    let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send().await;
    let spent = &spent.body["deduction_id"];
    BTreeMap::from([
        (
            "open_account",
            case(
                (Method::PUT, "/v1/accounts/new".into(), None),
                (Method::PUT, "/v1/accounts/closed".into(), None),
                409,
                (Method::PUT, "/v1/accounts/a%20b".into(), None),
            ),
        ),
        (
            "generate",
            case(
                post(format!("{acme}/generations"), json!({ "type": "standard_generation" })),
                post(format!("{acme}/generations"), json!({ "type": "stem_separation" })),
                403,
                post(
                    format!("{acme}/generations"),
                    json!({ "type": "standard_generation", "expires_in_s": 9 }),
                ),
            ),
        ),
        (
            "deduct",
            case(
                post(format!("{acme}/deductions"), json!({ "amount": 1 })),
                post(format!("{acme}/deductions"), json!({ "amount": too_much })),
                402,
                post(format!("{acme}/deductions"), json!({ "amount": -1 })),
            ),
        ),
        (
            "hold",
            case(
                post(format!("{acme}/holds"), json!({ "amount": 1 })),
                post(format!("{acme}/holds"), json!({ "amount": 1, "expires_in_s": 0 })),
                422,
                post(format!("{acme}/holds"), json!({ "amount": "1" })),
            ),
        ),
        (
            "commit_hold",
            case(
                post(format!("{acme}/holds/{held}/commit"), json!({ "amount": 1 })),
                post(format!("{acme}/holds/{held}/commit"), json!({ "amount": 1 })),
                409,
                post(format!("{acme}/holds/{held}/commit"), json!({ "excess": "more" })),
            ),
        ),
        (
            "release_hold",
            case(
                post(format!("{acme}/holds/{other}/release"), json!({})),
                post(format!("{acme}/holds/hold_9999/release"), json!({})),
                404,
                post(format!("{acme}/holds/a%20b/release"), json!({})),
            ),
        ),
        (
            "extend_hold",
            case(
                post(format!("{acme}/holds/{third}/extend"), json!({ "expires_in_s": 60 })),
                post(format!("{acme}/holds/{third}/extend"), json!({ "expires_in_s": 999_999 })),
                422,
                post(format!("{acme}/holds/{third}/extend"), json!({})),
            ),
        ),
        (
            "spend_hold",
            case(
                post(format!("{acme}/holds/{fourth}/spend"), json!({ "amount": 1 })),
                post(format!("{acme}/holds/{fourth}/spend"), json!({ "amount": 1 })),
                409,
                post(format!("{acme}/holds/{fourth}/spend"), json!({ "amount": 0 })),
            ),
        ),
        (
            "top_up_hold",
            case(
                post(format!("{acme}/holds/{third}/top-up"), json!({ "amount": 1 })),
                post(format!("{acme}/holds/{third}/top-up"), json!({ "amount": too_much })),
                402,
                post(format!("{acme}/holds/{third}/top-up"), json!({})),
            ),
        ),
        (
            "refund",
            case(
                post(format!("{acme}/refunds"), json!({ "deduction_id": spent, "reason": "failed" })),
                post(format!("{acme}/refunds"), json!({ "deduction_id": "ded_9999", "reason": "failed" })),
                404,
                post(format!("{acme}/refunds"), json!({ "reason": "failed" })),
            ),
        ),
        (
            "quote",
            case(
                post(format!("{acme}/quote"), json!({ "type": "standard_generation" })),
                post(format!("{acme}/quote"), json!({ "type": "poem" })),
                422,
                post(format!("{acme}/quote"), json!({ "kind": "standard_generation" })),
            ),
        ),
        (
            "execute_commands",
            Case {
                success: post(
                    "/v1/commands",
                    json!([{ "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "b" }]),
                ),
                refusal: None,
                bad: Some(post("/v1/commands", json!({}))),
            },
        ),
    ])
}
