//! What is asked about customers and their cards.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Case, case, get, post};
use crate::support::http::Server;

pub(super) async fn cases(server: &Server) -> BTreeMap<&'static str, Case> {
    let customer = |account: &str| format!("/v1/accounts/{account}/customer");
    let methods = |account: &str, rest: &str| format!("/v1/accounts/{account}/payment-methods{rest}");
    let leaving = "/v1/accounts/leaving";
    for path in [leaving, "/v1/accounts/leaving/customer"] {
        server.call(Method::PUT, path).send().await;
    }
    let card = json!({ "payment_method": "pm_card_visa" });
    let attached = async || {
        let answer = server.post(&methods("acme", ""), card.clone()).send().await;
        answer.body["payment_method"].as_str().expect("a method").to_owned()
    };
    let (one, other) = (attached().await, attached().await);
    let put = |path: String, body: Option<Value>| (Method::PUT, path, body);
    let delete = |path: String| (Method::DELETE, path, None);
    let patch = |path: String, body: Value| (Method::PATCH, path, Some(body));
    let named = json!({ "name": "Ada" });
    BTreeMap::from([
        (
            "become_customer",
            case(
                put(customer("acme"), Some(named.clone())),
                put(customer("closed"), None),
                409,
                put(customer("acme"), Some(json!({ "email": "ada" }))),
            ),
        ),
        (
            "find_customers",
            case(
                get("/v1/customers?email=ada@example.com"),
                get("/v1/customers?email=ada@example.com&min_position=p0-999999999"),
                422,
                get("/v1/customers?email=ada"),
            ),
        ),
        ("get_customer", case(get(customer("acme")), get(customer("nobody")), 404, get(customer("a%20b")))),
        (
            "update_customer",
            case(
                patch(customer("acme"), named.clone()),
                patch(customer("closing"), named),
                409,
                patch(customer("acme"), json!({ "name": 5 })),
            ),
        ),
        (
            "delete_customer",
            case(delete(customer("leaving")), delete(customer("closing")), 409, delete(customer("a%20b"))),
        ),
        (
            "list_payment_methods",
            case(get(methods("acme", "")), get(methods("nobody", "")), 404, get(methods("acme", "?limit=0"))),
        ),
        (
            "attach_payment_method",
            case(
                post(methods("acme", ""), card),
                post(methods("acme", ""), json!({ "payment_method": "pm_none" })),
                404,
                post(methods("acme", ""), json!({ "card": "4242424242424242" })),
            ),
        ),
        (
            "prefer_payment_method",
            case(
                put(methods("acme", &format!("/{one}/default")), None),
                put(methods("acme", "/pm_none/default"), None),
                404,
                put(methods("acme", "/a%20b/default"), None),
            ),
        ),
        (
            "detach_payment_method",
            case(
                delete(methods("acme", &format!("/{other}"))),
                delete(methods("acme", "/pm_none")),
                404,
                delete(methods("acme", "/a%20b")),
            ),
        ),
    ])
}
