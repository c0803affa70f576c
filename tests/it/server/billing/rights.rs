//! Is a restricted key with the rights that `docs/STRIPE.md` names enough for all that the server asks?

use counterfoil::stripe::{
    Deployment, StripeMode,
    inbound::{
        inbox::Inbox,
        reconcile::{ReconcileOptions, Reconciler},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    http::Answer,
    shop::{ACME, Shop, client, pack, plan},
};

const KEY: &str = "rk_test_server";

/// What each right of Stripe's dashboard is about, as the beginnings of paths.
const RIGHTS: [(&str, &[&str]); 15] = [
    ("Customers", &["customers"]),
    ("Payment Methods", &["payment_methods"]),
    ("Checkout Sessions", &["checkout"]),
    ("Customer portal", &["billing_portal"]),
    ("Subscriptions", &["subscriptions", "subscription_schedules"]),
    ("Payment Intents", &["payment_intents"]),
    ("Charges and Refunds", &["charges", "refunds"]),
    ("Invoices", &["invoices", "invoice_payments"]),
    ("Credit notes", &["credit_notes"]),
    ("Coupons", &["coupons"]),
    ("Events", &["events"]),
    ("Disputes", &["disputes"]),
    ("Products", &["products"]),
    ("Prices", &["prices"]),
    ("Webhook Endpoints", &["webhook_endpoints"]),
];

/// What a key may ask for that has the rights of the page's sentence about the server.
fn allowed() -> Vec<&'static str> {
    let page = include_str!("../../../../docs/STRIPE.md");
    let (_, sentence) = page.split_once("The server itself writes").expect("it is there");
    let (sentence, _) = sentence.split_once("over HTTP.").expect("it ends");
    let sentence = sentence.split_whitespace().collect::<Vec<&str>>().join(" ");
    let named = RIGHTS.iter().filter(|(right, _)| sentence.contains(right));
    named.flat_map(|(_, paths)| paths.iter().copied()).collect()
}

fn works(answer: &Answer) {
    assert!(answer.status.is_success(), "{}", answer.text);
}

async fn post(shop: &Shop, path: &str, body: Value) -> Value {
    let answer = shop.server.post(&format!("{ACME}/{path}"), body).send().await;
    works(&answer);
    answer.body
}

async fn read(shop: &Shop, paths: &[&str]) {
    for path in paths {
        works(&shop.server.get(&format!("{ACME}/{path}")).send().await);
    }
}

/// A customer with a card, who pays without a page and gets the money back.
async fn pay(shop: &Shop) {
    let profile = shop.server.put(&format!("{ACME}/customer"), json!({ "name": "Ada" })).send().await;
    works(&profile);
    let card = post(shop, "payment-methods", json!({ "payment_method": "pm_card_visa" })).await;
    let card = card["payment_method"].as_str().unwrap();
    works(&shop.server.call(Method::PUT, &format!("{ACME}/payment-methods/{card}/default")).send().await);
    let payment = post(shop, "payments", json!({ "pack": "pack_500" })).await;
    let payment = format!("payments/{}", payment["payment"].as_str().unwrap());
    post(shop, &format!("{payment}/confirm"), json!({ "off_session": true })).await;
    shop.settled().await;
    post(shop, &format!("{payment}/refunds"), json!({})).await;
    read(shop, &["customer", "payment-methods", "payments", &payment, "invoices"]).await;
}

/// All that can be done with a subscription, one after the other.
async fn subscribe(shop: &Shop) {
    post(shop, "checkout-sessions", pack()).await;
    let page = post(shop, "checkout-sessions", plan()).await;
    shop.pay(&page).await;
    shop.settled().await;
    post(shop, "portal-sessions", json!({ "return_url": "https://shop.example" })).await;
    post(shop, "subscription/change/preview", json!({ "plan": "team" })).await;
    post(shop, "subscription/change", json!({ "plan": "team" })).await;
    shop.settled().await;
    post(shop, "subscription/change", json!({ "plan": "basic" })).await;
    shop.settled().await;
    read(shop, &["subscriptions", "subscription/change", "subscription/upcoming-invoice"]).await;
    for what in ["change/withdraw", "pause", "resume", "cancel"] {
        let body = if what == "cancel" { json!({ "at": "now" }) } else { json!({}) };
        post(shop, &format!("subscription/{what}"), body).await;
        shop.settled().await;
    }
}

/// A subscription whose discount is told as an id, behind which a coupon is looked for.
async fn discounted(shop: &Shop) {
    let half = [("percent_off", "50"), ("duration", "forever")];
    let half = shop.at_stripe(Method::POST, "/v1/coupons", &half).await["id"].clone();
    let customer = shop.list("/v1/customers").await[0]["id"].clone();
    let form = [
        ("customer", customer.as_str().unwrap()),
        ("items[0][price]", "price_of_stripe_price_basic"),
        ("metadata[account_id]", "acme"),
        ("discounts[0][coupon]", half.as_str().unwrap()),
    ];
    let made = shop.at_stripe(Method::POST, "/v1/subscriptions", &form).await;
    assert_eq!(made["status"], "active", "{made}");
    shop.settled().await;
}

async fn compare(shop: &Shop) {
    let (ledger, pool) = (shop.server.test.ledger.clone(), shop.server.test.database.pool());
    let stripe = client(KEY, &shop.sandbox.url());
    let since = shop.server.test.clock.now().minus(chrono::TimeDelta::days(90));
    let order = ReconcileOptions { since, fetch_events: true, rebuild_events: true };
    let reconciler = Reconciler::new(stripe, Inbox::new(pool), ledger, Deployment::new(StripeMode::Test));
    reconciler.run(order, |_, _| {}).await.expect("it may read all of it");
}

#[tokio::test]
async fn a_key_with_the_rights_that_the_page_names_is_enough_for_the_server() {
    let heard = Heard::begin();
    let shop = Shop::asking_with(KEY).await;
    shop.control("keys", json!({ "key": KEY, "may": allowed() })).await;
    pay(&shop).await;
    subscribe(&shop).await;
    discounted(&shop).await;
    compare(&shop).await;
    let product = json!({ "product": "studio", "name": "Studio" });
    works(&shop.server.call(Method::POST, "/v1/products").json(product).send().await);
    for line in [
        "Stripe does not accept the key, or the key lacks a right; docs/STRIPE.md names those of STRIPE_SECRET_KEY",
        "a discount is not known, and takes nothing off the revenue",
    ] {
        assert!(heard.lines_of(line).is_empty(), "{:#?}", heard.lines());
    }
}
