//! What if a business takes no money for a while? What Stripe tells meanwhile is not lost.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::running::Business;
use crate::support::catalogs::MUSIC;

/// A business that has opened a page for a pack and then stopped to take money, in one of two ways; the page is paid.
async fn paid_while_off(catalog: &str, billing: &str) -> Business {
    paid_while_refused(catalog, billing, (503, "billing_off")).await
}

async fn paid_while_refused(catalog: &str, billing: &str, refusal: (u16, &str)) -> Business {
    let mut business = Business::open().await;
    business.set_up(MUSIC).await;
    business.serve(MUSIC).await;
    business.ask(Method::PUT, "/v1/accounts/ada", &json!({})).await;
    let (status, page) = open_page(&mut business).await;
    assert_eq!(status, 201, "{page:#}");
    business.settings.insert("COUNTERFOIL_BILLING".to_owned(), billing.to_owned());
    business.serve(catalog).await;
    let page = page["checkout_session_id"].as_str().expect("an id");
    business.control(&format!("checkout/{page}/pay"), &json!({ "card": "4242424242424242" })).await;
    let (status, refused) = open_page(&mut business).await;
    assert_eq!((status, &refused["code"]), (refusal.0, &json!(refusal.1)), "{refused:#}");
    business
}

async fn open_page(business: &mut Business) -> (u16, Value) {
    let wish = json!({
        "pack": "pack_500", "quantity": 1,
        "success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/pricing",
    });
    business.ask(Method::POST, "/v1/accounts/ada/checkout-sessions", &wish).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_that_takes_no_money_has_webhooks_kept_until_it_takes_some() {
    let off = MUSIC.replace("[payments]\n", "[payments]\nenabled = false\n");
    let mut business = paid_while_off(&off, "on").await;
    business.delivered().await;
    // Longer than anything that is handled at all would wait.
    for _ in 0..15 {
        let kept = business.read("/v1/inbox?state=received").await;
        assert!(kept.to_string().contains("checkout.session.completed"), "{kept:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(business.available("ada").await, 50);
    business.serve(MUSIC).await;
    business.settled().await;
    assert_eq!(business.available("ada").await, 550);
    business.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_asks_nothing_of_stripe_has_webhooks_handled_all_the_same() {
    let mut business = paid_while_off(MUSIC, "off").await;
    business.settled().await;
    assert_eq!(business.available("ada").await, 550);
    let (status, spent) =
        business.ask(Method::POST, "/v1/accounts/ada/deductions", &json!({ "amount": 550 })).await;
    assert_eq!(status, 201, "{spent:#}");
    business.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_out_has_its_webhooks_handled_and_buys_nothing() {
    let mut business = paid_while_refused(MUSIC, "0%", (403, "billing_off_for_account")).await;
    business.settled().await;
    assert_eq!(business.available("ada").await, 550);
    assert_eq!(business.read("/v1/catalog?account=ada").await["billing"], "off");
    business.settings.insert("COUNTERFOIL_BILLING_ACCOUNTS".to_owned(), "ada".to_owned());
    business.serve(MUSIC).await;
    assert_eq!(business.read("/v1/catalog?account=ada").await["billing"], "on");
    assert_eq!(business.read("/v1/catalog").await["billing"], "partly");
    let (status, page) = open_page(&mut business).await;
    assert_eq!(status, 201, "{page:#}");
    business.close().await;
}
