//! What is asked about payments without Stripe's pages.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::{Case, case, get, post};
use crate::support::shop::Shop;

/// A payment that the bank holds the money of.
async fn held(shop: &Shop) -> String {
    let customers = shop.list("/v1/customers").await;
    let ours = customers.iter().find(|customer| customer["metadata"]["account_id"] == "acme");
    let customer = ours.and_then(|customer| customer["id"].as_str()).expect("a customer");
    let form = [
        ("amount", "600"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
    ];
    let held = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await;
    held["id"].as_str().expect("a payment").to_owned()
}

pub(super) async fn cases(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    let at = |rest: &str| format!("/v1/accounts/acme/payments{rest}");
    let pack = json!({ "pack": "pack_500" });
    let card = json!({ "payment_method": "pm_card_visa", "off_session": true });
    let made = async || {
        let answer = server.post(&at(""), pack.clone()).send().await;
        answer.body["payment"].as_str().expect("a payment").to_owned()
    };
    let paid = async || {
        let payment = made().await;
        server.post(&at(&format!("/{payment}/confirm")), card.clone()).send().await;
        payment
    };
    let (new, paid, other) = (made().await, paid().await, made().await);
    BTreeMap::from([
        (
            "create_payment",
            case(
                post(at(""), pack.clone()),
                post(at(""), json!({ "amount": 1 })),
                422,
                post(at(""), json!({ "amount": "1" })),
            ),
        ),
        (
            "list_payments",
            case(get(at("")), get("/v1/accounts/nobody/payments"), 404, get(at("?limit=many"))),
        ),
        ("get_payment", case(get(at(&format!("/{new}"))), get(at("/pi_none")), 404, get(at("/a%20b")))),
        (
            "confirm_payment",
            case(
                post(at(&format!("/{new}/confirm")), card.clone()),
                post(at(&format!("/{paid}/confirm")), card.clone()),
                409,
                post(at(&format!("/{new}/confirm")), json!({ "payment_method": "pm_card_visa" })),
            ),
        ),
        (
            "cancel_payment",
            case(
                post(at(&format!("/{other}/cancel")), json!({})),
                post(at(&format!("/{paid}/cancel")), json!({})),
                409,
                post(at(&format!("/{other}/cancel")), json!({ "reason": "weather" })),
            ),
        ),
        (
            "refund_payment",
            case(
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 100 })),
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 10_000 })),
                409,
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 1.5 })),
            ),
        ),
        (
            "capture_payment",
            Case {
                success: post(at(&format!("/{}/capture", held(shop).await)), json!({})),
                refusal: Some((post(at(&format!("/{paid}/capture")), json!({})), 409)),
                bad: Some(post(at(&format!("/{paid}/capture")), json!({ "amount": true }))),
            },
        ),
    ])
}
