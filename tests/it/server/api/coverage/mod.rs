//! Is every operation exercised for success, refusal, a missing key and bad input? One line each, in the file of its
//! family; the test fails for an operation that has no line.

mod accounts;
mod customers;
mod operations;
mod payments;
mod reads;
mod selling;
mod spending;

use std::collections::BTreeMap;

use counterfoil::auth::keys::KeyScope;
use counterfoil::http::{KeyRule, OperationSpec, operations};
use reqwest::Method;
use serde_json::{Value, json};

use super::matrix::OF_SEVERAL;
use crate::support::{
    http::{Answer, Server},
    shop::Shop,
    specification,
};

/// A request: method, path, body.
pub type Ask = (Method, String, Option<Value>);

pub(super) struct Case {
    pub(super) success: Ask,
    /// What the rules, or the state of things, refuse; `None`: only a key without the scope is refused.
    pub(super) refusal: Option<(Ask, u16)>,
    /// `None`: it takes no input that could be bad.
    pub(super) bad: Option<Ask>,
}

#[tokio::test]
async fn every_operation_is_exercised_in_every_way() {
    exercise_all(&Shop::start().await).await;
}

pub async fn exercise_all(shop: &Shop) {
    let server = &shop.server;
    let cases = prepare(shop).await;
    let weak = server.key([KeyScope::Billing], Some(&["nobody"])).await;
    let known: Vec<&str> = operations().iter().map(|described| described.id.as_str()).collect();
    assert!(cases.keys().all(|id| known.contains(id)), "a line of the table is about no operation");
    for described in operations() {
        let case = cases.get(described.id.as_str()).unwrap_or_else(|| panic!("{} has no line", described.id));
        exercise(server, described, case, &weak).await;
        shop.settled().await;
    }
    list_by_each_filter(server).await;
}

/// What every operation, in their order, is asked for with success.
pub async fn successes(shop: &Shop) -> Vec<(&'static OperationSpec, Ask)> {
    let mut cases = prepare(shop).await;
    let of = |described: &'static OperationSpec| {
        let case =
            cases.remove(described.id.as_str()).unwrap_or_else(|| panic!("{} has no line", described.id));
        (described, case.success)
    };
    operations().iter().map(of).collect()
}

/// Accounts in the states that the table is about.
async fn prepare(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    shop.subscribe_other("member").await;
    shop.subscribe_other("waiting").await;
    let less =
        server.post("/v1/accounts/waiting/subscription/change", json!({ "plan": "basic" })).send().await;
    assert_eq!(less.status, 202, "{}", less.text);
    let methods = "/v1/accounts/payer/payment-methods";
    server.open("payer").await;
    let card = server.post(methods, json!({ "payment_method": "pm_card_visa" })).send().await;
    let default = format!("{methods}/{}/default", card.body["payment_method"].as_str().expect("an id"));
    assert_eq!(server.call(Method::PUT, &default).send().await.status, 200);
    cases(shop).await
}

/// What narrows a list is looked for in ways of its own.
async fn list_by_each_filter(server: &Server) {
    let metadata = json!({ "metadata": { "team": "blue" } });
    assert_eq!(server.put("/v1/accounts/acme", metadata).send().await.status, 200);
    let own = server.key([KeyScope::Read], Some(&["acme", "closed"])).await;
    for query in [
        "status=open",
        "plan=free",
        "plan=free&status=closed",
        "metadata=team:blue",
        "metadata=team:blue&plan=free",
        "prefix=ac",
        "customer=cus_none",
    ] {
        for key in [&server.admin, &own] {
            let listed = server.get(&format!("/v1/accounts?{query}")).key(key).send().await;
            assert_eq!(listed.status, 200, "{query}: {}", listed.text);
        }
    }
}

async fn exercise(server: &Server, described: &OperationSpec, case: &Case, weak: &str) {
    let id = described.id.as_str();
    check_target(id, &case.success);
    let answer = send(server, &case.success).await;
    assert!(answer.status.is_success(), "{id}: {}", answer.text);
    if let Some((refusal, status)) = &case.refusal {
        check_target(id, refusal);
        let answer = send(server, refusal).await;
        assert_eq!(answer.status.as_u16(), *status, "{id}: {}", answer.text);
    }
    if !described.scopes.is_empty() {
        call(server, &case.success).without_key().send().await.is_problem(401, "unauthenticated");
        // Whoever may ask for some accounts is not turned away where only those are shown.
        let sees_its_own = OF_SEVERAL.contains(&id) && described.scopes.contains(&KeyScope::Billing);
        let answer = call(server, &case.success).key(weak).send().await;
        assert_eq!(answer.status, if sees_its_own { 200 } else { 403 }, "{id}: {}", answer.text);
    }
    if described.key == KeyRule::Required {
        let answer = call(server, &case.success).without("idempotency-key").send().await;
        answer.is_problem(400, "idempotency_key_missing");
    }
    let takes_input = described.takes_json || has_parameters(id);
    assert_eq!(case.bad.is_some(), takes_input, "{id} takes input, or does not");
    if let Some(bad) = &case.bad {
        check_target(id, bad);
        let answer = send(server, bad).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{id}: {}", answer.text);
    }
}

pub(super) fn call<'a>(server: &'a Server, (method, path, body): &Ask) -> crate::support::http::Call<'a> {
    let call = server.call(method.clone(), path).header("idempotency-key", &uuid::Uuid::new_v4().to_string());
    match body {
        Some(body) => call.json(body.clone()),
        None => call,
    }
}

pub async fn send(server: &Server, ask: &Ask) -> Answer {
    if ask.1 == "/v1/webhooks/stripe" && ask.2.as_ref().is_some_and(|body| body["id"].is_string()) {
        return server.deliver(ask.2.as_ref().expect("a body")).await;
    }
    call(server, ask).send().await
}

fn check_target(id: &str, (method, path, _): &Ask) {
    let operation = specification::operation(method, path).unwrap_or_else(|| panic!("{path} is not routed"));
    assert_eq!(operation["operationId"], id, "{path}");
}

fn has_parameters(id: &str) -> bool {
    let operations = specification::operations();
    let operation = operations.iter().find(|operation| operation["operationId"] == id).expect("an operation");
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|parameters| parameters.iter().any(|parameter| parameter["in"] != "header"))
        || operation["requestBody"].is_object()
}

pub(super) fn get(path: impl Into<String>) -> Ask {
    (Method::GET, path.into(), None)
}

pub(super) fn post(path: impl Into<String>, body: Value) -> Ask {
    (Method::POST, path.into(), Some(body))
}

async fn cases(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    server.open("acme").await;
    server.grant("acme", 10_000).await;
    for closing in ["closing", "closed"] {
        server.open(closing).await;
    }
    server.post("/v1/accounts/closed/close", json!({ "reason": "over" })).send().await;
    let mut cases = spending::cases(server).await;
    cases.extend(accounts::cases(server).await);
    cases.extend(reads::cases());
    cases.extend(selling::cases(server).await);
    cases.extend(customers::cases(server).await);
    cases.extend(payments::cases(shop).await);
    cases.extend(operations::cases(server).await);
    cases
}

pub(super) fn case(success: Ask, refusal: Ask, status: u16, bad: Ask) -> Case {
    Case { success, refusal: Some((refusal, status)), bad: Some(bad) }
}
