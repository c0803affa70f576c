//! Is an account one customer, and nobody else's?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, pack, with};

const EMAIL: &str = "ada@example.com";

async fn customer_of(shop: &Shop, session: &serde_json::Value) -> String {
    let path = format!("/v1/checkout/sessions/{}", session["checkout_session_id"].as_str().unwrap());
    shop.at_stripe(Method::GET, &path, &[]).await["customer"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_customer_that_names_the_account_is_found_before_any_webhook_tells_of_it() {
    let shop = Shop::start().await;
    shop.control("faults", json!({ "drop_percent": 100 })).await;
    let form = [("email", EMAIL), ("metadata[account_id]", "acme")];
    let known = shop.at_stripe(Method::POST, "/v1/customers", &form).await;
    let opened = shop.checkout("k1", &with(pack(), "email", json!(EMAIL))).await;
    assert_eq!(customer_of(&shop, &opened.body).await, known["id"]);
    assert_eq!(shop.list("/v1/customers").await.len(), 1);
}

/// Whoever types in another's address is not shown what is theirs.
#[tokio::test]
async fn nobody_becomes_a_customer_by_an_address_alone() {
    let shop = Shop::start().await;
    let theirs = shop.at_stripe(Method::POST, "/v1/customers", &[("email", EMAIL)]).await;
    let opened = shop.checkout("k1", &with(pack(), "email", json!(EMAIL))).await;
    let ours = customer_of(&shop, &opened.body).await;
    assert_ne!(ours, theirs["id"]);
    let customers = shop.list("/v1/customers").await;
    let one =
        |id: &serde_json::Value| customers.iter().find(|customer| customer["id"] == *id).unwrap().clone();
    assert_eq!(one(&theirs["id"])["metadata"], json!({}), "nothing was changed about it");
    let made = one(&json!(ours));
    assert_eq!((&made["email"], &made["metadata"]), (&json!(EMAIL), &json!({ "account_id": "acme" })));
}

/// The account is two customers, by metadata: each has paid once.
async fn two_customers(shop: &Shop) -> [String; 2] {
    shop.become_customer().await;
    let form = [("metadata[account_id]", "acme")];
    let second =
        shop.at_stripe(Method::POST, "/v1/customers", &form).await["id"].as_str().unwrap().to_owned();
    shop.settled().await;
    let customers = shop.list("/v1/customers").await;
    let first = customers.iter().find(|customer| customer["id"] != *second).unwrap()["id"].clone();
    [first.as_str().unwrap().to_owned(), second]
}

async fn pay(shop: &Shop, customer: &str, card: &str, minor: &str) {
    let form = [("customer", customer)];
    let path = format!("/v1/payment_methods/{card}/attach");
    let method = shop.at_stripe(Method::POST, &path, &form).await["id"].as_str().unwrap().to_owned();
    let form = [
        ("customer", customer),
        ("amount", minor),
        ("currency", "usd"),
        ("payment_method", &method),
        ("confirm", "true"),
        ("off_session", "true"),
    ];
    let paid = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await;
    assert_eq!(paid["status"], "succeeded", "{paid}");
}

#[tokio::test]
async fn an_account_that_is_several_customers_is_asked_for_at_all_of_them() {
    let shop = Shop::start().await;
    let [first, second] = two_customers(&shop).await;
    pay(&shop, &first, "pm_card_visa", "1100").await;
    pay(&shop, &second, "pm_card_mastercard", "1200").await;
    shop.advance("10 seconds").await;
    pay(&shop, &first, "pm_card_visa", "1300").await;
    let list = async |what: &str| shop.server.get(&format!("{ACME}/{what}")).send().await.body;
    let payments = list("payments").await;
    let mut amounts: Vec<i64> = payments["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|paid| paid["amount"]["minor"].as_i64().unwrap())
        .collect();
    assert_eq!(amounts.remove(0), 1_300, "the newest first: {payments}");
    amounts.sort_unstable();
    assert_eq!(amounts, [1_100, 1_200]);
    let methods = list("payment-methods").await;
    assert_eq!(methods["payment_methods"].as_array().unwrap().len(), 3, "{methods}");
    // Page by page, the same.
    let page = list("payments?limit=2").await;
    let last = page["next_cursor"].as_str().unwrap_or_else(|| panic!("{page}"));
    let rest = list(&format!("payments?limit=2&cursor={last}")).await;
    assert_eq!(rest["payments"].as_array().unwrap().len(), 1, "{rest}");
    assert_eq!(rest["next_cursor"], json!(null));
    let unknown = shop.server.get(&format!("{ACME}/payments?cursor=pi_unknown")).send().await;
    unknown.is_problem(400, "invalid_parameter");
    // A card of the second is preferred there, and detached.
    let of_second = shop.list(&format!("/v1/customers/{second}/payment_methods")).await[0]["id"].clone();
    let path = format!("{ACME}/payment-methods/{}", of_second.as_str().unwrap());
    let preferred = shop.server.call(Method::PUT, &format!("{path}/default")).send().await;
    assert_eq!(preferred.status, 200, "{}", preferred.text);
    assert_eq!(shop.server.call(Method::DELETE, &path).send().await.status, 200);
}

/// An invoice that was recorded so many seconds ago.
fn invoice(customer: &str, number: i64, now: i64) -> Value {
    json!({
        "id": format!("in_{customer}_{number:04}"), "object": "invoice", "customer": customer, "status": "paid",
        "currency": "usd", "total": 999, "amount_due": 999, "amount_paid": 999, "amount_remaining": 0,
        "created": now - number,
    })
}

#[tokio::test]
async fn of_each_of_several_customers_the_newest_thousand_are_listed() {
    let shop = Shop::start().await;
    let [first, second] = two_customers(&shop).await;
    let now = shop.server.test.clock.now().seconds();
    let mut invoices: Vec<Value> = (1..=1_003).map(|number| invoice(&first, number, now)).collect();
    invoices.push(invoice(&second, 2_000, now));
    shop.control("documents", json!({ "objects": invoices })).await;
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.server.get(&format!("{ACME}/invoices?limit=100{cursor}")).send().await.body;
        let ids = page["invoices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["invoice"].as_str().unwrap().to_owned());
        listed.extend(ids);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed.len(), 1_001);
    assert_eq!(
        (listed[0].clone(), listed[999].clone()),
        (format!("in_{first}_0001"), format!("in_{first}_1000"))
    );
    assert_eq!(listed[1_000], format!("in_{second}_2000"), "none of the older three");
}

#[tokio::test]
async fn the_portal_is_opened_for_the_customer_that_is_subscribed() {
    let shop = Shop::start().await;
    let [_, second] = two_customers(&shop).await;
    let form = [
        ("customer", second.as_str()),
        ("items[0][price]", "price_of_stripe_price_creator"),
        ("metadata[account_id]", "acme"),
        ("default_payment_method", "pm_card_visa"),
    ];
    let path = "/v1/payment_methods/pm_card_visa/attach";
    let method = shop.at_stripe(Method::POST, path, &[("customer", &second)]).await["id"].clone();
    let form = form.map(|(name, value)| {
        (name, if name == "default_payment_method" { method.as_str().unwrap() } else { value })
    });
    let made = shop.at_stripe(Method::POST, "/v1/subscriptions", &form).await;
    assert_eq!(made["status"], "active", "{made}");
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let body = json!({ "return_url": "https://shop.example/account" });
    let opened = shop.server.post(&format!("{ACME}/portal-sessions"), body).send().await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let asked: String = sqlx::query_scalar(
        "select request->>'customer' from ledger.stripe_calls where operation = 'portal_session'",
    )
    .fetch_one(&shop.server.test.database.pool())
    .await
    .unwrap();
    assert_eq!(asked, second);
}

#[tokio::test]
async fn a_customer_of_another_account_is_not_taken_over() {
    let shop = Shop::start().await;
    shop.server.open("other").await;
    let body = with(pack(), "email", json!(EMAIL));
    let ours = shop.checkout("k1", &body).await;
    let theirs = shop.checkout_of("other", "k1", &body).await;
    assert_ne!(customer_of(&shop, &ours.body).await, customer_of(&shop, &theirs.body).await);
}

#[tokio::test]
async fn an_address_is_passed_on_and_kept_nowhere() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &with(pack(), "email", json!(EMAIL))).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    assert_eq!(shop.list("/v1/customers").await[0]["email"], EMAIL);
    let pool = shop.server.test.database.pool();
    let kept: Vec<String> = sqlx::query_scalar(
        "select row_to_json(calls)::text from ledger.stripe_calls calls \
         union all select row_to_json(events)::text from ledger.events events",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(
        kept.len() >= 3 && !kept.iter().any(|row| row.contains("ada@") || row.contains("example.com")),
        "{kept:?}"
    );
}
