//! Does a refund give back what was paid, once, and take the credits back?

use counterfoil::domain::catalog::PackRefunds;
use serde_json::json;

use super::payments::{act, act_by, available, bought, seen, selling};
use crate::support::shop::{ACME, Shop, pack};

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
