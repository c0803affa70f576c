//! Is what a preview shows what then comes, in money and in credits, also where it comes with a later invoice?

use std::sync::Arc;

use counterfoil::domain::catalog::Catalog;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    catalogs,
    shop::{ACME, Shop, plan, with},
};

/// A change to less is made at once, and settled with the next invoice.
fn changing_at_once() -> Arc<Catalog> {
    let text = catalogs::MUSIC.replace("downgrade = \"at_period_end\"", "downgrade = \"at_once\"");
    catalogs::for_sale(&text)
}

async fn preview(shop: &Shop, wish: &Value) -> Value {
    let path = format!("{ACME}/subscription/change/preview");
    let answer = shop.server.post(&path, wish.clone()).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn change(shop: &Shop, wish: &Value) {
    let answer = shop.amend("change", "change", wish).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    shop.settled().await;
}

async fn subscribe(shop: &Shop, to: &str) {
    let opened = shop.checkout("subscribe", &with(plan(), "plan", json!(to))).await;
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == to).await;
    shop.settled().await;
}

#[tokio::test]
async fn what_the_next_invoice_does_with_a_change_is_shown_before_and_then_happens() {
    for (from, to, spent) in [("team", "basic", 4_900), ("team", "basic", 0), ("team", "creator", 3_000)] {
        let shop = Shop::selling(changing_at_once()).await;
        subscribe(&shop, from).await;
        if spent > 0 {
            let deduction = json!({ "amount": spent });
            assert_eq!(shop.server.post(&format!("{ACME}/deductions"), deduction).send().await.status, 201);
        }
        shop.advance("10 days").await;
        shop.settled().await;
        let shown = preview(&shop, &json!({ "plan": to })).await;
        assert_eq!(shown["settlement"], "next_invoice");
        change(&shop, &json!({ "plan": to })).await;
        let now = shop.server.balance("acme").await;
        let credits = &shown["credits"];
        assert_eq!((&now["available"], &now["debt"]), (&credits["available_after"], &credits["debt_after"]));
        shop.advance("25 days").await;
        shop.settled().await;
        let then = shop.server.balance("acme").await;
        let credits = &shown["credits_with_next_invoice"];
        assert_eq!(
            (&then["available"], &then["debt"]),
            (&credits["available_after"], &credits["debt_after"]),
            "{shown:#}"
        );
        assert_eq!(then["debt"].as_i64() > Some(0), spent == 4_900, "{then}");
    }
}

#[tokio::test]
async fn what_waits_for_the_end_of_the_period_is_shown_as_it_will_be_charged() {
    let shop = Shop::start().await;
    subscribe(&shop, "team").await;
    let coupon = [("percent_off", "25"), ("duration", "forever")];
    let coupon = shop.at_stripe(Method::POST, "/v1/coupons", &coupon).await;
    let discount = [("discounts[0][coupon]", coupon["id"].as_str().unwrap())];
    shop.at_stripe(Method::POST, &shop.path().await, &discount).await;
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    shop.at_stripe(Method::POST, &format!("/v1/customers/{customer}"), &[("balance", "-500")]).await;

    let shown = preview(&shop, &json!({ "plan": "basic" })).await;
    assert_eq!(
        (&shown["settlement"], &shown["credits_with_next_invoice"]),
        (&json!("period_end"), &Value::Null)
    );
    assert_eq!(shown["invoice"]["is_estimate"], false);
    change(&shop, &json!({ "plan": "basic" })).await;
    shop.advance("32 days").await;
    shop.settled().await;
    let charged = shop.list("/v1/invoices").await[0].clone();
    assert_eq!((&charged["total"], &charged["amount_due"]), (&json!(749), &json!(249)));
    let money = |name: &str| shown["invoice"][name]["minor"].clone();
    assert_eq!((money("total"), money("amount_due")), (json!(749), json!(249)));

    // Of another interval nobody has worked it out yet.
    let shop = Shop::start().await;
    shop.subscribe().await;
    let year = json!({ "plan": "creator", "interval": "year" });
    change(&shop, &year).await;
    let shown = preview(&shop, &json!({ "plan": "basic", "interval": "month" })).await;
    assert_eq!(
        (&shown["settlement"], &shown["invoice"]["is_estimate"]),
        (&json!("period_end"), &json!(true))
    );
}
