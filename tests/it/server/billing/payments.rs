//! Does a payment without a page lead to what was bought, once, and a refused one to what the person can do?

use std::sync::Arc;

use counterfoil::domain::catalog::{Catalog, PackRefunds};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    http::Answer,
    ledger::music_for_sale,
    shop::{ACME, Shop, pack},
};

const PAYMENTS: &str = "/v1/accounts/acme/payments";
const BALANCE: &str = "/v1/accounts/acme/balance";

fn packs(quantity: u32) -> Value {
    json!({ "pack": "pack_500", "quantity": quantity })
}

fn with_card(card: &str) -> Value {
    json!({ "payment_method": card, "return_url": "https://shop.example/paid" })
}

async fn make(shop: &Shop, body: Value) -> String {
    let made = shop.server.post(PAYMENTS, body).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["payment"].as_str().unwrap().to_owned()
}

/// Does something with a payment, under a key of its own.
async fn act(shop: &Shop, payment: &str, action: &str, body: Value) -> Answer {
    shop.server.post(&format!("{PAYMENTS}/{payment}/{action}"), body).send().await
}

async fn act_by(shop: &Shop, key: &str, payment: &str, action: &str, body: Value) -> Answer {
    let call = shop.server.post(&format!("{PAYMENTS}/{payment}/{action}"), body);
    call.header("idempotency-key", key).send().await
}

async fn seen(shop: &Shop, payment: &str) -> Value {
    shop.server.get(&format!("{PAYMENTS}/{payment}")).send().await.body
}

async fn available(shop: &Shop, credits: i64) {
    shop.until(BALANCE, |balance| balance["available"] == credits).await;
}

/// Two packs of 500 credits, at 6.00 each, that are paid for.
async fn bought(shop: &Shop) -> String {
    let payment = make(shop, packs(2)).await;
    let paid = act(shop, &payment, "confirm", with_card("pm_card_visa")).await;
    assert_eq!((paid.status.as_u16(), &paid.body["status"]), (200, &json!("succeeded")), "{}", paid.text);
    available(shop, 1_050).await;
    payment
}

async fn selling(change: impl FnOnce(&mut Catalog)) -> Shop {
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

#[tokio::test]
async fn a_refund_takes_back_the_credits_once() {
    let shop = Shop::start().await;
    let payment = bought(&shop).await;
    let part = json!({ "amount": 300, "reason": "requested_by_customer" });
    let given = act_by(&shop, "k1", &payment, "refunds", part.clone()).await;
    assert_eq!((given.status.as_u16(), &given.body["amount"]["minor"]), (201, &json!(300)), "{}", given.text);
    available(&shop, 1_050 - 250).await;
    let again = act_by(&shop, "k1", &payment, "refunds", part).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&given.body, Some("true")));
    let refused = act(&shop, &payment, "refunds", json!({ "amount": 901 })).await;
    refused.is_problem(409, "refund_exceeds_payment");
    assert_eq!(refused.body["refundable"], 900);
    act_by(&shop, "k1", &payment, "refunds", json!({})).await.is_problem(422, "idempotency_key_reused");
    let rest = act(&shop, &payment, "refunds", json!({})).await;
    assert_eq!(rest.body["amount"]["minor"], 900, "all that is left");
    available(&shop, 50).await;
    assert_eq!(seen(&shop, &payment).await["refunded"], 1_200);
    assert_eq!(shop.list("/v1/refunds").await.len(), 2);
}

#[tokio::test]
async fn two_refunds_at_once_never_give_back_more_than_was_paid() {
    let shop = Shop::start().await;
    let payment = bought(&shop).await;
    let part = json!({ "amount": 900 });
    let both = futures::future::join_all((0..2).map(|_| act(&shop, &payment, "refunds", part.clone()))).await;
    let made = both.iter().filter(|answer| answer.status == 201).count();
    let refused = both.iter().filter(|answer| answer.code() == "refund_exceeds_payment").count();
    assert_eq!((made, refused), (1, 1), "{both:?}");
    assert_eq!(seen(&shop, &payment).await["refunded"], 900);
}

#[tokio::test]
async fn a_business_that_gives_nothing_back_for_packs_says_so() {
    let shop = selling(|catalog| catalog.payments.pack_refunds = PackRefunds::Refused).await;
    let payment = bought(&shop).await;
    act(&shop, &payment, "refunds", json!({})).await.is_problem(409, "pack_not_refundable");
    assert!(shop.list("/v1/refunds").await.is_empty());
}

#[tokio::test]
async fn the_history_has_every_payment_of_the_customer_in_pages() {
    let shop = Shop::start().await;
    let empty = shop.server.get(PAYMENTS).send().await;
    assert_eq!(empty.body, json!({ "payments": [], "next_cursor": null }));
    let first = bought(&shop).await;
    let second = make(&shop, packs(1)).await;
    let session = shop.checkout("k1", &crate::support::shop::pack()).await;
    shop.pay(&session.body).await;
    let page = shop.server.get(&format!("{PAYMENTS}?limit=2")).send().await;
    let ids = |page: &Value| -> Vec<Value> {
        page["payments"].as_array().unwrap().iter().map(|payment| payment["payment"].clone()).collect()
    };
    assert_eq!((ids(&page.body).len(), &ids(&page.body)[1]), (2, &json!(second)));
    assert_eq!(page.body["payments"][0]["pack"], "pack_500", "the page's payment, too");
    assert!(!page.text.contains("_secret_"), "a list is not for a browser to go on with");
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let rest = shop.server.get(&format!("{PAYMENTS}?limit=2&cursor={cursor}")).send().await;
    assert_eq!((ids(&rest.body), &rest.body["next_cursor"]), (vec![json!(first)], &Value::Null));
    shop.server.get(&format!("{PAYMENTS}?cursor=pi_gone")).send().await.is_problem(400, "invalid_parameter");
}

/// In the account's own list, as in that of all accounts.
#[tokio::test]
async fn each_payment_says_what_it_was_for_and_which_invoice_it_paid() {
    let shop = Shop::subscribed().await;
    let session = shop.checkout("k1", &crate::support::shop::pack()).await;
    shop.pay(&session.body).await;
    available(&shop, 2_550).await;
    let bought = make(&shop, packs(1)).await;
    let plain = make(&shop, json!({ "amount": 700 })).await;
    act(&shop, &plain, "confirm", with_card("pm_card_visa")).await;
    // Of somebody who pays for something else, without a word of what.
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    let form = [("amount", "900"), ("currency", "usd"), ("customer", customer.as_str())];
    let other = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await["id"].clone();
    shop.settled().await;
    let now = shop.server.get(ACME).send().await.body["as_of_position"].as_str().unwrap().to_owned();
    let all = shop.server.get(&format!("/v1/payments?min_position={now}")).send().await.body;
    let own = shop.server.get(PAYMENTS).send().await.body;
    let own = own["payments"].as_array().unwrap();
    let of =
        |id: &Value| own.iter().find(|one| one["payment"] == *id).unwrap_or_else(|| panic!("{id}: {own:#?}"));
    let recorded = all["payments"].as_array().unwrap();
    assert_eq!(recorded.len(), 2, "{all:#}");
    for one in recorded {
        let same = of(&one["payment"]);
        for name in ["type", "invoice", "subscription", "plan", "pack", "quantity", "amount"] {
            assert_eq!(same[name], one[name], "{name} of {one:#}");
        }
        assert_eq!(seen(&shop, one["payment"].as_str().unwrap()).await["type"], one["type"]);
    }
    let types: Vec<&Value> = recorded.iter().map(|one| &one["type"]).collect();
    assert!(types.contains(&&json!("subscription")) && types.contains(&&json!("pack")), "{all:#}");
    assert!(recorded.iter().any(|one| one["invoice"].as_str().is_some_and(|id| id.starts_with("in_"))));
    let (made, paid) = (of(&json!(bought)), of(&json!(plain)));
    assert_eq!(
        (&made["type"], &made["quantity"], &made["invoice"]),
        (&json!("pack"), &json!(1), &Value::Null)
    );
    assert_eq!(
        (&paid["type"], &paid["quantity"], &paid["invoice"]),
        (&json!("plain"), &Value::Null, &Value::Null)
    );
    assert_eq!(of(&other)["type"], Value::Null, "nobody has said");
}

/// Fails with `code` while `fault` lasts, after so many calls that go well; the same request then completes it.
async fn fails_then_completes(
    shop: &Shop,
    ask: (&str, &str, Value),
    well: usize,
    fault: Value,
    code: &str,
) -> Answer {
    let (payment, action, body) = ask;
    let mut faults = vec![json!({ "delay_ms": 0 }); well];
    faults.push(fault);
    shop.fail(json!(faults)).await;
    let failed = act_by(shop, "k1", payment, action, body.clone()).await;
    failed.is_problem(503, code);
    assert!(failed.header("retry-after").is_some());
    shop.fail(json!([])).await;
    let completed = act_by(shop, "k1", payment, action, body).await;
    assert!(completed.status.is_success(), "{}", completed.text);
    completed
}

#[tokio::test]
async fn an_outage_while_paying_charges_once_and_says_what_is_known() {
    for (fault, code) in [
        (json!({ "cut": true, "after_work": true, "times": 3 }), "stripe_outcome_unknown"),
        (json!({ "status": 500, "after_work": true, "times": 3 }), "stripe_outcome_unknown"),
        (json!({ "status": 500, "times": 3 }), "stripe_outcome_unknown"),
        (json!({ "delay_ms": 700, "times": 3 }), "stripe_outcome_unknown"),
        (json!({ "status": 429, "times": 3 }), "stripe_unavailable"),
    ] {
        let shop = Shop::start().await;
        let payment = make(&shop, packs(1)).await;
        // The payment and the card are looked up first.
        let ask = (payment.as_str(), "confirm", with_card("pm_card_visa"));
        let paid = fails_then_completes(&shop, ask, 2, fault, code).await;
        assert_eq!(paid.body["status"], "succeeded", "{}", paid.text);
        assert_eq!(shop.list("/v1/charges").await.len(), 1, "{code}");
        available(&shop, 550).await;
    }
}

#[tokio::test]
async fn an_outage_while_refunding_gives_back_once() {
    let shop = Shop::start().await;
    let payment = bought(&shop).await;
    let ask = (payment.as_str(), "refunds", json!({ "amount": 600 }));
    let fault = json!({ "cut": true, "after_work": true, "times": 3 });
    fails_then_completes(&shop, ask, 1, fault, "stripe_outcome_unknown").await;
    assert_eq!(shop.list("/v1/refunds").await.len(), 1);
    assert_eq!(seen(&shop, &payment).await["refunded"], 600);
    available(&shop, 550).await;
}

#[tokio::test]
async fn an_outage_before_anything_is_written_down_has_done_nothing() {
    let shop = Shop::start().await;
    let payment = make(&shop, packs(1)).await;
    let ask = (payment.as_str(), "cancel", json!({}));
    let fault = json!({ "status": 500, "times": 3 });
    let gone = fails_then_completes(&shop, ask, 0, fault, "stripe_unavailable").await;
    assert_eq!(gone.body["status"], "canceled");
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_payment() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    let make = || shop.server.post(PAYMENTS, packs(1)).header("idempotency-key", "k1").send();
    let answers = futures::future::join_all((0..8).map(|_| make())).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (201, &answers[0].body), "{}", answer.text);
    }
    assert_eq!(shop.list("/v1/payment_intents").await.len(), 1);
}

#[tokio::test]
async fn a_refund_that_nobody_knew_of_is_found_out_and_given_once() {
    let shop = Shop::start().await;
    let payment = bought(&shop).await;
    shop.fail(json!([{}, { "cut": true, "after_work": true, "times": 3 }])).await;
    let refund = json!({ "amount": 600 });
    act_by(&shop, "k1", &payment, "refunds", refund.clone()).await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    shop.advance("61 seconds").await;
    assert_eq!(shop.resolve().await.done, 1);
    let told = act_by(&shop, "k1", &payment, "refunds", refund).await;
    assert_eq!(
        (told.status.as_u16(), told.header("idempotent-replayed")),
        (201, Some("true")),
        "{}",
        told.text
    );
    assert_eq!(shop.list("/v1/refunds").await.len(), 1);
}

#[tokio::test]
async fn a_confirmation_that_nobody_knew_of_is_looked_at_and_not_repeated() {
    for (fault, found) in [
        (json!({ "cut": true, "after_work": true, "times": 3 }), (1, "succeeded")),
        (json!({ "status": 500, "times": 3 }), (0, "requires_payment_method")),
    ] {
        let shop = Shop::start().await;
        let payment = make(&shop, packs(1)).await;
        // The payment and the card are looked up first.
        shop.fail(json!([{}, {}, fault])).await;
        let card = with_card("pm_card_visa");
        let answer = act_by(&shop, "k1", &payment, "confirm", card).await;
        answer.is_problem(503, "stripe_outcome_unknown");
        shop.fail(json!([])).await;
        shop.advance("61 seconds").await;
        assert_eq!(
            (shop.resolve().await.done, seen(&shop, &payment).await["status"].as_str()),
            (found.0, Some(found.1))
        );
    }
}

/// The bank decides about the money, or has given it back: nobody gets it twice.
#[tokio::test]
async fn what_is_disputed_is_not_refunded() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &pack()).await;
    shop.pay(&opened.body).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_050).await;
    let payment = shop.list("/v1/payment_intents").await[0]["id"].as_str().unwrap().to_owned();
    let dispute = shop.control("disputes", json!({ "payment_intent": payment })).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 50).await;
    let path = format!("{ACME}/payments/{payment}/refunds");
    shop.server.post(&path, json!({})).send().await.is_problem(409, "payment_disputed");
    assert!(shop.list("/v1/refunds").await.is_empty());
    let decided = format!("disputes/{}", dispute["id"].as_str().unwrap());
    shop.control(&decided, json!({ "status": "lost" })).await;
    shop.settled().await;
    shop.server.post(&path, json!({})).send().await.is_problem(409, "payment_disputed");
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
