//! What a subscription has beside its plan, billed by an invoice of its own.

use counterfoil::stripe::inbound::reconcile::ReconcileOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop};

/// Something that is charged for each month and that the catalog does not know.
async fn unknown_price(shop: &Shop) -> String {
    let form = [
        ("unit_amount", "500"),
        ("currency", "usd"),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Priority support"),
    ];
    let price = shop.at_stripe(Method::POST, "/v1/prices", &form).await;
    price["id"].as_str().unwrap().to_owned()
}

async fn subscription(shop: &Shop) -> Value {
    shop.list("/v1/subscriptions").await[0].clone()
}

async fn change(shop: &Shop, form: &[(&str, &str)]) {
    let path = format!("/v1/subscriptions/{}", subscription(shop).await["id"].as_str().unwrap());
    let form: Vec<(&str, &str)> =
        form.iter().copied().chain([("proration_behavior", "always_invoice")]).collect();
    shop.at_stripe(Method::POST, &path, &form).await;
}

async fn dead(shop: &Shop) -> Vec<Value> {
    shop.settled().await;
    let inbox = shop.server.get("/v1/inbox?state=dead").send().await;
    inbox.body["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_invoice_for_an_add_on_alone_is_known_and_gives_nothing() {
    let shop = Shop::subscribed().await;
    shop.server.test.clock.advance(chrono::TimeDelta::days(3));
    let price = unknown_price(&shop).await;
    change(&shop, &[("items[0][price]", &price)]).await;
    assert_eq!(dead(&shop).await, Vec::<Value>::new());
    assert_eq!(shop.server.balance("acme").await["available"], 1_550);

    // Another one takes its place, and is removed: that something is given back for what is there no more says nothing.
    let item = subscription(&shop).await["items"]["data"][1]["id"].as_str().unwrap().to_owned();
    let other = unknown_price(&shop).await;
    change(&shop, &[("items[0][id]", &item), ("items[0][price]", &other)]).await;
    assert_eq!(dead(&shop).await, Vec::<Value>::new());
    change(&shop, &[("items[0][id]", &item), ("items[0][deleted]", "true")]).await;
    assert_eq!(dead(&shop).await, Vec::<Value>::new());

    // Its money goes back, and takes nothing.
    let charge = &shop.list("/v1/charges").await[0];
    assert!(charge["amount"].as_i64() < Some(500), "{charge:#}");
    shop.at_stripe(Method::POST, "/v1/refunds", &[("charge", charge["id"].as_str().unwrap())]).await;
    assert_eq!(dead(&shop).await, Vec::<Value>::new());
    assert_eq!(shop.server.balance("acme").await["available"], 1_550);
    assert_eq!(shop.server.get(ACME).send().await.body["plan"], json!("creator"));

    let since = shop.server.test.clock.now().minus(chrono::TimeDelta::days(30));
    let order = ReconcileOptions { since, fetch_events: false, rebuild_events: false };
    let report = shop.reconciler().run(order, |_, _| ()).await.unwrap();
    assert!(report.drifts.is_empty() && report.missing_events.is_empty(), "{report:#?}");
    assert!(
        report.not_compared.is_empty(),
        "also what is gone is known to have been beside the plan: {report:#?}"
    );
}

/// Its debit fails, and Stripe puts what is left of it on the balance, from which a larger plan is paid.
#[tokio::test]
async fn an_add_on_that_nobody_paid_pays_for_no_plan() {
    let shop = Shop::subscribed().await;
    shop.advance("3 days").await;
    shop.pays_by("pm_usBankAccount_failure").await;
    let price = unknown_price(&shop).await;
    change(&shop, &[("items[0][price]", &price), ("items[0][quantity]", "100")]).await;
    let item = subscription(&shop).await["items"]["data"][1]["id"].as_str().unwrap().to_owned();
    change(&shop, &[("items[0][id]", &item), ("items[0][deleted]", "true")]).await;
    assert_eq!(dead(&shop).await, Vec::<Value>::new());
    let balance = shop.list("/v1/customers").await[0]["balance"].as_i64();
    assert!(balance < Some(-40_000), "{balance:?}");
    let changed = shop.amend("change", "k1", &json!({ "plan": "team", "quantity": 5 })).await;
    assert_eq!(changed.status, 202, "{}", changed.text);
    assert_eq!(dead(&shop).await, Vec::<Value>::new());
    assert_eq!(shop.server.balance("acme").await["available"], 1_550);
    assert_eq!(shop.server.get(ACME).send().await.body["plan"], json!("creator"));
}

/// What the customer's balance paid was paid: what is given back of it pays for the larger plan as if a card had paid.
/// The add-on is gone again before anybody asks what it is.
#[tokio::test]
async fn an_add_on_that_the_balance_paid_gives_back_what_it_was_paid_with() {
    let mut available = Vec::new();
    for balance in ["0", "-100000"] {
        let shop = Shop::subscribed().await;
        let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
        shop.at_stripe(Method::POST, &format!("/v1/customers/{customer}"), &[("balance", balance)]).await;
        shop.advance("3 days").await;
        let price = unknown_price(&shop).await;
        change(&shop, &[("items[0][price]", &price), ("items[0][quantity]", "100")]).await;
        let item = subscription(&shop).await["items"]["data"][1]["id"].as_str().unwrap().to_owned();
        change(&shop, &[("items[0][id]", &item), ("items[0][deleted]", "true")]).await;
        let changed = shop.amend("change", "k1", &json!({ "plan": "team", "quantity": 5 })).await;
        assert_eq!(changed.status, 202, "{}", changed.text);
        shop.settled().await;
        assert_eq!(dead(&shop).await, Vec::<Value>::new());
        available.push(shop.server.balance("acme").await["available"].as_i64().unwrap());
    }
    assert!(available[0] > 20_000 && available[0] == available[1], "{available:?}");
}

/// It may be a plan that the catalog lacks: its money waits for the catalog, and is not forgotten.
#[tokio::test]
async fn an_invoice_for_an_unknown_price_in_place_of_the_plan_waits_for_the_catalog() {
    let shop = Shop::subscribed().await;
    let price = unknown_price(&shop).await;
    let item = subscription(&shop).await["items"]["data"][0]["id"].as_str().unwrap().to_owned();
    change(&shop, &[("items[0][id]", &item), ("items[0][price]", &price)]).await;
    let of_the_change = dead(&shop).await;
    assert!(of_the_change.iter().any(|event| event["type"] == "invoice.paid"), "{of_the_change:#?}");
    shop.advance("32 days").await;
    let dead = dead(&shop).await;
    let paid: Vec<&Value> = dead.iter().filter(|event| event["type"] == "invoice.paid").collect();
    let because = format!("no plan of the catalog has the price {price}");
    assert!(paid.iter().any(|event| event["reason"] == json!(because)), "{dead:#?}");
}
