//! What is asked to sell: pages of Stripe, subscriptions, products and prices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Case, case, get, post};
use crate::support::{
    http::Server,
    shop::{self},
};

fn products() -> BTreeMap<&'static str, Case> {
    let product = |name: &str| json!({ "product": "studio", "name": name });
    let price = |amount: i64| json!({ "product": "studio", "amount": amount, "lookup_key": "studio_once" });
    let public = |path: &str| Case {
        success: get(path),
        refusal: None,
        bad: Some(get(format!("{path}?account=a%20b"))),
    };
    BTreeMap::from([
        ("list_products", public("/v1/products")),
        ("list_prices", public("/v1/prices")),
        (
            "get_product",
            case(get("/v1/products/creator"), get("/v1/products/gold"), 404, get("/v1/products/a%20b")),
        ),
        (
            "create_product",
            case(
                post("/v1/products", product("Studio")),
                post("/v1/products", product("Atelier")),
                409,
                post("/v1/products", product("")),
            ),
        ),
        (
            "create_price",
            case(
                post("/v1/prices", price(500)),
                post("/v1/prices", price(600)),
                409,
                post("/v1/prices", price(-1)),
            ),
        ),
        (
            "list_invoices",
            case(
                get("/v1/accounts/acme/invoices"),
                get("/v1/accounts/nobody/invoices"),
                404,
                get("/v1/accounts/acme/invoices?status=lost"),
            ),
        ),
    ])
}

pub(super) async fn cases(server: &Server) -> BTreeMap<&'static str, Case> {
    let (checkouts, portals) = ("/v1/accounts/acme/checkout-sessions", "/v1/accounts/acme/portal-sessions");
    // With its first checkout an account becomes a customer.
    server.post(checkouts, shop::pack()).send().await;
    let home = json!({ "return_url": "https://shop.example/account" });
    let mut cases = subscriptions();
    cases.extend(products());
    cases.extend(BTreeMap::from([
        (
            "create_checkout_session",
            case(
                post(checkouts, shop::plan()),
                post(checkouts, shop::with(shop::plan(), "plan", json!("free"))),
                409,
                post(checkouts, shop::with(shop::plan(), "quantity", json!(0))),
            ),
        ),
        (
            "create_portal_session",
            case(
                post(portals, home.clone()),
                post("/v1/accounts/closed/portal-sessions", home),
                409,
                post(portals, json!({ "return_url": "shop.example" })),
            ),
        ),
        (
            "subscribe",
            case(
                post("/v1/accounts/payer/subscriptions", json!({ "plan": "basic", "interval": "month" })),
                post("/v1/accounts/member/subscriptions", json!({ "plan": "basic", "interval": "month" })),
                409,
                post("/v1/accounts/payer/subscriptions", json!({ "plan": "basic" })),
            ),
        ),
    ]));
    cases
}

/// Of an account that is subscribed. Each success leaves the state that the next one needs, in the order of the
/// operations.
fn subscriptions() -> BTreeMap<&'static str, Case> {
    let of = |account: &str, what: &str| format!("/v1/accounts/{account}/subscription/{what}");
    let change = |what: &str| {
        let (to, nowhere) = (json!({ "plan": "team" }), json!({ "plan": "gold" }));
        case(
            post(of("member", what), to),
            post(of("member", what), nowhere),
            422,
            post(of("member", what), json!({ "quantity": 0 })),
        )
    };
    let other = |what: &str, body: Value| {
        case(
            post(of("member", what), body.clone()),
            post(of("acme", what), body),
            409,
            post(of("member", what), json!({ "subscription": "a b" })),
        )
    };
    let upcoming = |account: &str| get(of(account, "upcoming-invoice"));
    BTreeMap::from([
        ("preview_subscription_change", change("change/preview")),
        ("change_subscription", change("change")),
        (
            "get_pending_change",
            case(
                get(of("member", "change")),
                get(of("acme", "change")),
                409,
                get(of("member", "change?subscription=a%20b")),
            ),
        ),
        (
            "withdraw_change",
            case(
                post(of("waiting", "change/withdraw"), json!({})),
                post(of("acme", "change/withdraw"), json!({})),
                409,
                post(of("member", "change/withdraw"), json!({ "subscription": "a b" })),
            ),
        ),
        ("cancel_subscription", other("cancel", json!({ "at": "period_end" }))),
        ("withdraw_cancellation", other("cancel/withdraw", json!({}))),
        ("pause_subscription", other("pause", json!({}))),
        ("resume_subscription", other("resume", json!({}))),
        (
            "get_upcoming_invoice",
            case(
                upcoming("member"),
                upcoming("acme"),
                409,
                get(of("member", "upcoming-invoice?subscription=a%20b")),
            ),
        ),
    ])
}
