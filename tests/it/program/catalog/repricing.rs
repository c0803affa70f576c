//! Can a plan be retired and a price be changed while people pay for them? Those who have it keep it, and others do not
//! get it.

use counterfoil::app::catalogs::{CatalogTerms, OnOldPlan};
use reqwest::Method;
use serde_json::{Value, json};

use super::running::Business;
use crate::support::catalogs::{self, MUSIC};

/// Basic and the large pack cost more, Creator and the small pack are retired.
fn repriced() -> String {
    let text = MUSIC
        .replace("amount = \"9.99\"\n", "amount = \"11.99\"\nearlier = [{ amount = \"9.99\", stripe = { setting = \"STRIPE_PRICE_BASIC_999\", optional = true } }]\n")
        .replace("price = \"20.00\"\n", "price = \"25.00\"\nearlier = [{ amount = \"20.00\", stripe = { setting = \"STRIPE_PRICE_PACK_2000_2000\", optional = true } }]\n")
        .replace("name = \"Creator\"\npopular = true\n", "name = \"Creator\"\nretired = true\n")
        .replace("name = \"500 credits\"\n", "name = \"500 credits\"\nretired = true\n");
    assert_eq!(text.matches("earlier = [").count() + text.matches("retired = true").count(), 4);
    text
}

async fn price_paid(business: &Business, customer: &Value) -> Value {
    let customer = customer["customers"][0].as_str().expect("a customer");
    let listed = business.stripe(&format!("/v1/subscriptions?customer={customer}")).await;
    listed["data"][0]["items"]["data"][0]["price"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_it_keeps_it_and_who_comes_later_pays_the_new_price() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.buy("ada", &json!({ "plan": "basic", "interval": "month" })).await;
    business.buy("bob", &json!({ "plan": "creator", "interval": "month" })).await;
    let old = ["STRIPE_PRICE_BASIC", "STRIPE_PRICE_CREATOR"].map(|name| business.settings[name].clone());

    let text = repriced();
    business.set_up(&text).await;
    business.serve(&text).await;

    // At Stripe: another price has the lookup key, and the old one and the retired plan are off sale.
    let new = business.settings["STRIPE_PRICE_BASIC"].clone();
    assert_eq!(business.settings["STRIPE_PRICE_BASIC_999"], old[0]);
    let kept = business.stripe(&format!("/v1/prices/{}", old[0])).await;
    assert_eq!((&kept["active"], &kept["lookup_key"]), (&json!(false), &Value::Null));
    let kept = business.stripe(&format!("/v1/prices/{new}")).await;
    assert_eq!((&kept["unit_amount"], &kept["lookup_key"]), (&json!(1199), &json!("music_plan_basic_month")));
    let creator = business.stripe(&format!("/v1/prices/{}", old[1])).await;
    let product = creator["product"].as_str().expect("an id");
    let product = business.stripe(&format!("/v1/products/{product}")).await;
    assert_eq!((&creator["active"], &product["active"]), (&json!(false), &json!(false)));
    let portal = business.stripe("/v1/billing_portal/configurations").await["data"][0].to_string();
    assert!(!portal.contains(&old[0]) && !portal.contains(&old[1]) && portal.contains(&new), "{portal}");

    // Who comes now pays the new price, and does not get what is retired.
    business.buy("cyd", &json!({ "plan": "basic", "interval": "month" })).await;
    let position = business.read("/v1/accounts/cyd").await["as_of_position"].clone();
    let position = position.as_str().expect("a position");
    let customers = business.read(&format!("/v1/accounts?limit=10&min_position={position}")).await;
    let of = |name: &str| {
        let listed = customers["accounts"].as_array().expect("a list").clone();
        listed.into_iter().find(|row| row["account"] == name).expect("it is listed")
    };
    assert_eq!(price_paid(&business, &of("cyd")).await["unit_amount"], 1199);
    for wish in [json!({ "plan": "creator", "interval": "month" }), json!({ "pack": "pack_500" })] {
        let mut wish = wish;
        wish["success_url"] = "https://shop.example/thanks".into();
        wish["cancel_url"] = "https://shop.example/pricing".into();
        business.ask(Method::PUT, "/v1/accounts/dan", &json!({})).await;
        let (status, said) = business.ask(Method::POST, "/v1/accounts/dan/checkout-sessions", &wish).await;
        assert_eq!(
            (&said["code"], &said["reason"]),
            (&json!("not_for_sale"), &json!("retired")),
            "{status} {said:#}"
        );
    }
    for path in ["/v1/catalog", "/v1/products"] {
        let shown = business.read(path).await.to_string();
        assert!(!shown.contains("creator") && !shown.contains("pack_500"), "{path}: {shown}");
    }

    // Everybody's month is renewed, at the price that they have, and gives what it gave: 500, 1,500 and 500 more, of
    // which all that is unused rolls over.
    business.renew().await;
    for (account, plan, price, available) in
        [("ada", "basic", 999, 1_050), ("bob", "creator", 1_999, 3_050), ("cyd", "basic", 1_199, 1_050)]
    {
        assert_eq!(business.available(account).await, available, "{account}");
        let held = business.read(&format!("/v1/accounts/{account}/subscription")).await;
        assert_eq!(held["plan"], plan, "{account}");
        assert_eq!(price_paid(&business, &of(account)).await["unit_amount"], price, "{account}");
    }
    let on_creator = OnOldPlan { plan: "creator".to_owned(), accounts: 1, terms: CatalogTerms::Retired };
    assert_eq!(business.on_old_plans(&text).await, [on_creator]);
    business.close().await;
}

/// Somebody may leave a retired plan, and does not come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retired_plan_can_be_left_for_another_one_and_not_be_come_back_to() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.buy("bob", &json!({ "plan": "creator", "interval": "month" })).await;
    let text = repriced();
    business.set_up(&text).await;
    business.serve(&text).await;

    let change = "/v1/accounts/bob/subscription/change";
    let (status, said) = business.ask(Method::POST, change, &json!({ "plan": "team" })).await;
    assert_eq!(status, 202, "{said:#}");
    business.settled().await;
    assert_eq!(business.read("/v1/accounts/bob/subscription").await["plan"], "team");
    let (_, said) = business.ask(Method::POST, change, &json!({ "plan": "creator" })).await;
    assert_eq!(said["code"], "not_for_sale", "{said:#}");
    business.close().await;
}

/// The price by the year leaves the plan: who pays it can still change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pays_a_price_that_left_its_plan_keeps_the_plan_and_can_leave_it() {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.buy("ada", &json!({ "plan": "basic", "interval": "year" })).await;
    let text = catalogs::without(MUSIC, &["[plans.basic.prices.year]"]);
    business.settings.remove("STRIPE_PRICE_BASIC_ANNUAL");
    business.serve(&text).await;

    business.renew().await;
    let held = business.read("/v1/accounts/ada/subscription").await;
    // 99.90 for the year that has begun.
    let monthly = &held["subscription"]["monthly"]["minor"];
    assert_eq!((&held["plan"], monthly), (&json!("basic"), &json!(832)), "{held:#}");
    assert!(business.available("ada").await >= 550, "the year gives its months");
    let change = "/v1/accounts/ada/subscription/change";
    let wish = json!({ "plan": "team", "interval": "year" });
    let (status, said) = business.ask(Method::POST, change, &wish).await;
    assert_eq!(status, 202, "{said:#}");
    business.settled().await;
    assert_eq!(business.read("/v1/accounts/ada/subscription").await["plan"], "team");
    business.close().await;
}
