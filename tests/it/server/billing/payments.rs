//! Does a payment without a page lead to what was bought, once, and a refused one to what the person can do?

use crate::support::{
    heard::Heard,
    http::Answer,
    ledger::music_for_sale,
    shop::{ACME, Shop},
};
use counterfoil::domain::catalog::Catalog;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const PAYMENTS: &str = "/v1/accounts/acme/payments";
const BALANCE: &str = "/v1/accounts/acme/balance";

pub(super) fn packs(quantity: u32) -> Value {
    json!({ "pack": "pack_500", "quantity": quantity })
}

pub(super) fn with_card(card: &str) -> Value {
    json!({ "payment_method": card, "return_url": "https://shop.example/paid" })
}

pub(super) async fn make(shop: &Shop, body: Value) -> String {
    let made = shop.server.post(PAYMENTS, body).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["payment"].as_str().unwrap().to_owned()
}

/// Does something with a payment, under a key of its own.
pub(super) async fn act(shop: &Shop, payment: &str, action: &str, body: Value) -> Answer {
    shop.server.post(&format!("{PAYMENTS}/{payment}/{action}"), body).send().await
}

pub(super) async fn act_by(shop: &Shop, key: &str, payment: &str, action: &str, body: Value) -> Answer {
    let call = shop.server.post(&format!("{PAYMENTS}/{payment}/{action}"), body);
    call.header("idempotency-key", key).send().await
}

pub(super) async fn seen(shop: &Shop, payment: &str) -> Value {
    shop.server.get(&format!("{PAYMENTS}/{payment}")).send().await.body
}

pub(super) async fn available(shop: &Shop, credits: i64) {
    shop.until(BALANCE, |balance| balance["available"] == credits).await;
}

/// Two packs of 500 credits, at 6.00 each, that are paid for.
pub(super) async fn bought(shop: &Shop) -> String {
    let payment = make(shop, packs(2)).await;
    let paid = act(shop, &payment, "confirm", with_card("pm_card_visa")).await;
    assert_eq!((paid.status.as_u16(), &paid.body["status"]), (200, &json!("succeeded")), "{}", paid.text);
    available(shop, 1_050).await;
    payment
}

pub(super) async fn selling(change: impl FnOnce(&mut Catalog)) -> Shop {
    let mut catalog = music_for_sale();
    change(Arc::make_mut(&mut catalog));
    Shop::selling(catalog).await
}

#[tokio::test]
async fn packs_are_made_confirmed_and_granted_when_stripe_says_so() {
    let shop = Shop::start().await;
    let made = shop.server.post(PAYMENTS, packs(2)).send().await;
    assert_eq!(
        (&made.body["status"], &made.body["next_step"]),
        (&json!("requires_payment_method"), &json!("choose_method"))
    );
    assert_eq!(made.body["amount"], json!({ "minor": 1_200, "currency": "usd" }));
    assert!(made.body["client_secret"].is_string(), "{}", made.text);
    let payment = made.body["payment"].as_str().unwrap();
    let intent = &shop.list("/v1/payment_intents").await[0];
    let metadata =
        json!({ "account_id": "acme", "kind": "topup", "topup_code": "pack_500", "quantity": "2" });
    assert_eq!(intent["metadata"], metadata);
    assert_eq!(shop.server.balance("acme").await["available"], 50, "nothing is granted before it is paid");
    let paid = act(&shop, payment, "confirm", with_card("pm_card_visa")).await;
    assert_eq!(
        (&paid.body["status"], &paid.body["next_step"]),
        (&json!("succeeded"), &json!("none")),
        "{}",
        paid.text
    );
    assert_eq!((&paid.body["received"], &paid.body["client_secret"]), (&json!(1_200), &Value::Null));
    available(&shop, 1_050).await;
    act(&shop, payment, "confirm", with_card("pm_card_visa")).await.is_problem(409, "payment_state");
}

#[tokio::test]
async fn an_amount_of_its_own_gives_no_credits() {
    let shop = Shop::start().await;
    let payment = make(&shop, json!({ "amount": 700, "reference": "order-4711" })).await;
    act(&shop, &payment, "confirm", with_card("pm_card_visa")).await;
    let found = seen(&shop, &payment).await;
    assert_eq!((&found["reference"], &found["pack"]), (&json!("order-4711"), &Value::Null));
    shop.until("/v1/inbox?state=ignored", |inbox| inbox.to_string().contains("payment_intent.succeeded"))
        .await;
    assert_eq!(shop.server.balance("acme").await["available"], 50);
}

#[tokio::test]
async fn trap_23_what_is_not_ours_is_not_granted() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    let form = [
        ("amount", "600"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("metadata[account_id]", "acme"),
    ];
    let theirs = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await;
    shop.until("/v1/inbox?state=ignored", |inbox| inbox.to_string().contains("payment_intent.succeeded"))
        .await;
    assert_eq!(shop.server.balance("acme").await["available"], 50);
    // It is the customer's all the same, and is shown.
    assert_eq!(seen(&shop, theirs["id"].as_str().unwrap()).await["received"], 600);
}

#[tokio::test]
async fn what_the_catalog_does_not_let_be_paid_is_refused_without_asking_stripe() {
    let shop = Shop::start().await;
    for body in [json!({ "amount": 49 }), json!({ "amount": 100_001 }), packs(200)] {
        let refused = shop.server.post(PAYMENTS, body).send().await;
        refused.is_problem(422, "payment_out_of_bounds");
        assert_eq!((&refused.body["smallest"], &refused.body["largest"]), (&json!(50), &json!(100_000)));
    }
    let unknown = json!({ "pack": "pack_1" });
    shop.server.post(PAYMENTS, unknown).send().await.is_problem(422, "unknown_pack");
    for body in [
        json!({}),
        json!({ "pack": "pack_500", "amount": 600 }),
        json!({ "amount": 600, "quantity": 2 }),
        json!({ "pack": "pack_500", "quantity": 0 }),
        json!({ "amount": 6.5 }),
        json!({ "amount": 600, "currency": "eur" }),
        json!({ "amount": 600, "reference": "ada@example.com" }),
    ] {
        shop.server.post(PAYMENTS, body).send().await.is_problem(422, "invalid_request");
    }
    assert!(shop.list("/v1/customers").await.is_empty() && shop.list("/v1/payment_intents").await.is_empty());
}

#[tokio::test]
async fn a_decline_says_what_the_person_can_do_and_another_card_pays() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    for (card, code, step) in [
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "another_method"),
        ("pm_card_chargeDeclined", "generic_decline", "call_bank"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "correct_details"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "try_again"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "another_method"),
    ] {
        let declined = act(&shop, &payment, "confirm", with_card(card)).await;
        declined.is_problem(402, "stripe_declined");
        assert_eq!(
            (&declined.body["decline_code"], &declined.body["next_step"]),
            (&json!(code), &json!(step))
        );
        assert!(declined.body["advice"].as_str().unwrap().starts_with("Nothing was charged."));
        let found = seen(&shop, &payment).await;
        assert_eq!((&found["next_step"], &found["decline_code"]), (&json!(step), &json!(code)));
    }
    let paid = act(&shop, &payment, "confirm", with_card("pm_card_visa")).await;
    assert_eq!(paid.body["status"], "succeeded", "{}", paid.text);
    available(&shop, 550).await;
}

#[tokio::test]
async fn trap_38_a_declined_try_is_answered_again_and_not_tried_again() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    let card = with_card("pm_card_chargeDeclined");
    for _ in 0..2 {
        act_by(&shop, "k1", &payment, "confirm", card.clone()).await.is_problem(402, "stripe_declined");
    }
    assert_eq!(shop.list("/v1/charges").await.len(), 1);
    let other = act_by(&shop, "k1", &payment, "confirm", with_card("pm_card_visa")).await;
    other.is_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_bank_that_wants_to_ask_is_no_error() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    let asked = act(&shop, &payment, "confirm", with_card("pm_card_threeDSecure2Required")).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert_eq!(
        (&asked.body["status"], &asked.body["next_step"]),
        (&json!("requires_action"), &json!("authenticate"))
    );
    assert!(asked.body["redirect_url"].as_str().unwrap().contains("/authenticate/"), "{}", asked.text);
    let secret = asked.body["client_secret"].as_str().unwrap();
    assert!(secret.starts_with(&payment));
    shop.authenticate(&payment, true).await;
    available(&shop, 550).await;
}

#[tokio::test]
async fn without_the_person_a_bank_that_wants_to_ask_says_no_and_the_browser_can_go_on() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    let body = json!({ "payment_method": "pm_card_authenticationRequired", "off_session": true });
    for _ in 0..2 {
        let declined = act_by(&shop, "k1", &payment, "confirm", body.clone()).await;
        declined.is_problem(402, "stripe_declined");
        assert_eq!(declined.body["next_step"], "authenticate", "{}", declined.text);
        assert!(declined.body["client_secret"].as_str().unwrap().starts_with(&payment), "{}", declined.text);
    }
}

#[tokio::test]
async fn client_secrets_are_in_no_table_and_in_no_log() {
    let heard = Heard::begin();
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    act(&shop, &payment, "confirm", with_card("pm_card_threeDSecure2Required")).await;
    let kept: Vec<String> =
        sqlx::query_scalar("select row_to_json(calls)::text from ledger.stripe_calls calls")
            .fetch_all(&shop.server.test.database.pool())
            .await
            .unwrap();
    assert!(kept.len() >= 3 && !kept.iter().any(|row| row.contains("_secret_")), "{kept:?}");
    let said = heard.all();
    assert!(said.contains("answered") && !said.contains("_secret_"), "{said}");
}

#[tokio::test]
async fn the_card_for_invoices_pays_when_none_is_named() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    let body = json!({ "off_session": true });
    act(&shop, &payment, "confirm", body.clone()).await.is_problem(404, "payment_method_not_found");
    let attached = super::methods::attach(&shop, "k1", "pm_card_visa").await;
    let card = attached.body["payment_method"].as_str().unwrap();
    let path = format!("{ACME}/payment-methods/{card}/default");
    assert_eq!(shop.server.call(Method::PUT, &path).send().await.status, 200);
    let paid = act(&shop, &payment, "confirm", body).await;
    assert_eq!(
        (&paid.body["status"], &paid.body["payment_method"]),
        (&json!("succeeded"), &json!(card)),
        "{}",
        paid.text
    );
}

#[tokio::test]
async fn somebody_elses_payment_and_card_are_not_found() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    shop.server.open("other").await;
    let theirs = format!("/v1/accounts/other/payments/{payment}");
    shop.server.get(&theirs).send().await.is_problem(404, "payment_not_found");
    for (action, body) in
        [("confirm", with_card("pm_card_visa")), ("cancel", json!({})), ("refunds", json!({}))]
    {
        let answer = shop.server.post(&format!("{theirs}/{action}"), body).send().await;
        answer.is_problem(404, "payment_not_found");
    }
    seen(&shop, "pi_none").await;
    shop.server.get(&format!("{PAYMENTS}/pi_none")).send().await.is_problem(404, "payment_not_found");
    let methods = "/v1/accounts/other/payment-methods";
    let attached = shop.server.post(methods, json!({ "payment_method": "pm_card_visa" })).send().await;
    let card = attached.body["payment_method"].as_str().unwrap();
    act(&shop, &payment, "confirm", with_card(card)).await.is_problem(404, "payment_method_not_found");
}

#[tokio::test]
async fn what_is_held_is_captured_in_whole_packs_and_granted_so() {
    let shop = selling(|catalog| catalog.payments.automatic_capture = false).await;
    let payment = make(&shop, packs(3)).await;
    act(&shop, &payment, "capture", json!({})).await.is_problem(409, "payment_state");
    let held = act(&shop, &payment, "confirm", with_card("pm_card_visa")).await;
    assert_eq!((&held.body["status"], &held.body["capturable"]), (&json!("requires_capture"), &json!(1_800)));
    assert_eq!(held.body["next_step"], "capture");
    act(&shop, &payment, "capture", json!({ "amount": 1_801 }))
        .await
        .is_problem(409, "capture_exceeds_payment");
    let part = act(&shop, &payment, "capture", json!({ "amount": 1_000 })).await;
    part.is_problem(422, "part_of_pack");
    assert_eq!(part.body["price"], 600);
    let taken = act_by(&shop, "k1", &payment, "capture", json!({ "amount": 1_200 })).await;
    assert_eq!(
        (&taken.body["status"], &taken.body["received"]),
        (&json!("succeeded"), &json!(1_200)),
        "{}",
        taken.text
    );
    assert_eq!(taken.body["quantity"], 2);
    available(&shop, 1_050).await;
    let again = act_by(&shop, "k1", &payment, "capture", json!({ "amount": 1_200 })).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&taken.body, Some("true")));
}

#[tokio::test]
async fn what_is_held_can_be_let_go() {
    let shop = selling(|catalog| catalog.payments.automatic_capture = false).await;
    let payment = make(&shop, packs(1)).await;
    act(&shop, &payment, "confirm", with_card("pm_card_visa")).await;
    let gone = act(&shop, &payment, "cancel", json!({ "reason": "requested_by_customer" })).await;
    assert_eq!(
        (&gone.body["status"], &gone.body["capturable"]),
        (&json!("canceled"), &json!(0)),
        "{}",
        gone.text
    );
    act(&shop, &payment, "cancel", json!({})).await.is_problem(409, "payment_state");
    let refused = act(&shop, &payment, "refunds", json!({})).await;
    refused.is_problem(409, "refund_exceeds_payment");
}

/// With it whoever reads the inbox could confirm a payment that is open.
#[tokio::test]
async fn a_client_secret_that_stripe_has_told_is_not_shown() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    act(&shop, &payment, "confirm", with_card("pm_card_chargeDeclined"))
        .await
        .is_problem(402, "stripe_declined");
    shop.settled().await;
    let listed = shop.server.get("/v1/inbox?limit=100").send().await.body;
    let events = listed["events"].as_array().unwrap();
    let failed = events.iter().find(|event| event["type"] == "payment_intent.payment_failed").unwrap();
    let path = format!("/v1/inbox/{}", failed["event_id"].as_str().unwrap());
    let shown = shop.server.get(&path).send().await;
    assert_eq!(shown.body["document"]["data"]["object"]["client_secret"], "…", "{}", shown.text);
    assert!(!shown.text.contains("_secret_"));
}
