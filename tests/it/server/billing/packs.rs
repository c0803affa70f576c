//! Packs that are bought on pages of others than ours: by their prices, whatever Stripe's answers cost.

use std::{sync::Arc, time::Duration};

use counterfoil::{
    domain::amount::Credits,
    ledger::Ledger,
    stripe::{
        Deployment, StripeMode,
        inbound::{inbox::Inbox, processor::Processor, reconcile::ReconcileOptions},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    desk::available,
    ledger::music_for_sale,
    shop::{ACME, Shop, TOO_LATE_MS, client, pack},
};

const LARGE: &str = "price_of_stripe_price_pack_2000";
const SMALL: &str = "price_of_stripe_price_pack_500";

/// A page as a payment link opens it: it says whose it is, and nothing of what is sold.
async fn link(shop: &Shop, items: &[(&str, &str)]) -> Value {
    let mut form = vec![
        ("mode".to_owned(), "payment"),
        ("success_url".to_owned(), "https://shop.example/thanks"),
        ("client_reference_id".to_owned(), "acme"),
    ];
    for (place, (price, quantity)) in items.iter().enumerate() {
        form.push((format!("line_items[{place}][price]"), price));
        form.push((format!("line_items[{place}][quantity]"), quantity));
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let session = shop.at_stripe(Method::POST, "/v1/checkout/sessions", &form).await;
    json!({ "checkout_session_id": session["id"].as_str().unwrap_or_else(|| panic!("{session}")) })
}

async fn until_available(shop: &Shop, credits: i64) {
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == credits).await;
}

#[tokio::test]
async fn a_pack_that_is_bought_by_its_price_is_granted() {
    let shop = Shop::start().await;
    shop.pay(&link(&shop, &[(LARGE, "1")]).await).await;
    until_available(&shop, 2_050).await;
}

#[tokio::test]
async fn several_packs_of_one_session_are_all_granted_and_go_back_by_their_share() {
    let shop = Shop::start().await;
    let paid = shop.pay(&link(&shop, &[(LARGE, "1"), (SMALL, "2")]).await).await;
    until_available(&shop, 3_050).await;
    let session = &shop.list("/v1/checkout/sessions").await[0];
    let payment = session["payment_intent"].as_str().unwrap_or_else(|| panic!("{paid}"));
    let half = (session["amount_total"].as_i64().unwrap() / 2).to_string();
    shop.at_stripe(Method::POST, "/v1/refunds", &[("payment_intent", payment), ("amount", &half)]).await;
    until_available(&shop, 50 + 1_500).await;
    assert!(shop.reconciler().run(order(&shop), |_, _| ()).await.unwrap().drifts.is_empty());
}

fn order(shop: &Shop) -> ReconcileOptions {
    let since = shop.server.test.clock.now().minus(chrono::TimeDelta::days(90));
    ReconcileOptions { since, fetch_events: false, rebuild_events: false }
}

#[tokio::test]
async fn a_stripe_that_is_slow_or_broken_when_it_is_asked_delays_the_pack() {
    for fault in [
        json!({ "status": 500, "times": 3 }),
        json!({ "delay_ms": TOO_LATE_MS, "times": 3 }),
        json!({ "status": 429, "times": 3 }),
    ] {
        let shop = Shop::start().await;
        let opened = link(&shop, &[(SMALL, "1")]).await;
        shop.fail(json!([fault])).await;
        shop.pay(&opened).await;
        let waiting = "/v1/inbox?state=waiting";
        shop.until(waiting, |inbox| !inbox["events"].as_array().unwrap().is_empty()).await;
        assert_eq!(shop.server.balance("acme").await["available"], 50);
        shop.advance("5 seconds").await;
        until_available(&shop, 550).await;
    }
}

/// The money of an account that we know is not dropped without a word.
#[tokio::test]
async fn what_nobody_knows_is_held_and_reconcile_sees_it() {
    let shop = Shop::start().await;
    let form = [("unit_amount", "900"), ("currency", "usd"), ("product_data[name]", "Shirt")];
    let shirt = shop.at_stripe(Method::POST, "/v1/prices", &form).await;
    shop.pay(&link(&shop, &[(shirt["id"].as_str().unwrap(), "1")]).await).await;
    let dead = "/v1/inbox?state=dead";
    let dead = shop.until(dead, |inbox| !inbox["events"].as_array().unwrap().is_empty()).await;
    assert!(dead["events"][0]["reason"].as_str().unwrap().contains("it is unknown what for"), "{dead}");
    let report = shop.reconciler().run(order(&shop), |_, _| ()).await.unwrap();
    let [drift] = report.drifts.as_slice() else { panic!("{report:#?}") };
    assert!(drift.stripe_says.contains("it is unknown what for"), "{drift:#?}");
}

#[tokio::test]
async fn a_pack_is_granted_as_it_was_sold_when_the_catalog_has_changed_since() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &pack()).await;
    let mut later = (*music_for_sale()).clone();
    let offer = later.packs.iter_mut().find(|offer| offer.id.as_str() == "pack_500").unwrap();
    offer.price.minor /= 2;
    offer.credits = Credits::new(10).unwrap();
    shop.server.stop_handling();
    shop.pay(&opened.body).await;
    // Another instance, after a restart.
    let (pool, clock) = (shop.server.test.database.pool(), shop.server.test.clock.clone());
    let (ledger, _running) = Ledger::start(pool.clone(), Arc::new(later), clock.clone()).await.unwrap();
    let stripe = client("sk_test_shop", &shop.sandbox.url());
    let processor = Processor::new(Inbox::new(pool), ledger.clone(), Deployment::new(StripeMode::Test));
    let processor = processor.asking(Some(stripe));
    for _ in 0..500 {
        processor.work().await.unwrap();
        if available(&ledger, "acme", &clock).await == 1_050 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} credits are there", available(&ledger, "acme", &clock).await);
}
