//! Is a payment charged or given back once, whatever fails meanwhile?

use serde_json::{Value, json};

use super::payments::{PAYMENTS, act_by, available, bought, make, packs, seen, with_card};
use crate::support::{
    http::Answer,
    shop::{Shop, TOO_LATE_MS},
};

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
        (json!({ "delay_ms": TOO_LATE_MS, "times": 3 }), "stripe_outcome_unknown"),
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
