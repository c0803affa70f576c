//! Is what Stripe knows of a customer passed through whole, and kept nowhere?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    http::{Answer, Call},
    shop::{ACME, Shop, pack},
};

const CUSTOMER: &str = "/v1/accounts/acme/customer";

fn call<'a>(shop: &'a Shop, method: Method, body: &Value) -> Call<'a> {
    shop.server.call(method, CUSTOMER).json(body.clone())
}

async fn put(shop: &Shop, body: &Value) -> Answer {
    call(shop, Method::PUT, body).send().await
}

fn ada() -> Value {
    json!({
        "email": "ada@example.com", "name": "Ada Lovelace", "phone": "+44 20 7946 0000",
        "address": { "line1": "12 St James's Square", "line2": "Attic", "city": "London", "country": "GB" },
    })
}

#[tokio::test]
async fn an_account_becomes_a_customer_once_and_its_checkout_is_that_customers() {
    let shop = Shop::start().await;
    let made = put(&shop, &ada()).await;
    assert_eq!((made.status.as_u16(), &made.body["name"]), (201, &json!("Ada Lovelace")), "{}", made.text);
    assert_eq!(made.body["address"]["line2"], "Attic");
    let again = put(&shop, &json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &made.body));
    assert_eq!(shop.server.call(Method::PUT, CUSTOMER).send().await.body, made.body, "a body is not needed");
    shop.checkout("k1", &pack()).await;
    let customers = shop.list("/v1/customers").await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0]["metadata"], json!({ "account_id": "acme" }));
    let session = &shop.list("/v1/checkout/sessions").await[0];
    assert_eq!(session["customer"], made.body["customer"]);
}

#[tokio::test]
async fn the_link_is_there_before_the_webhook() {
    let shop = Shop::start().await;
    put(&shop, &json!({})).await;
    let events = shop.server.get(&format!("{ACME}/events")).send().await;
    assert!(events.text.contains("CustomerLinked"), "{}", events.text);
    shop.until("/v1/inbox?state=processed", |inbox| inbox.to_string().contains("customer.created")).await;
    let events = shop.server.get(&format!("{ACME}/events")).send().await;
    assert_eq!(events.text.matches("CustomerLinked").count(), 1, "{}", events.text);
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_takes_away() {
    let shop = Shop::start().await;
    call(&shop, Method::PATCH, &ada()).send().await.is_problem(409, "no_customer");
    put(&shop, &ada()).await;
    let changes = json!({ "phone": null, "address": { "city": "Paris" } });
    let changed = call(&shop, Method::PATCH, &changes).send().await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!((&changed.body["phone"], &changed.body["email"]), (&Value::Null, &json!("ada@example.com")));
    let address = json!({
        "line1": null, "line2": null, "postal_code": null, "city": "Paris", "state": null, "country": null,
    });
    assert_eq!(changed.body["address"], address);
    assert_eq!(shop.server.get(CUSTOMER).send().await.body, changed.body);
}

#[tokio::test]
async fn what_is_personal_is_in_no_table() {
    let shop = Shop::start().await;
    put(&shop, &ada()).await;
    call(&shop, Method::PATCH, &json!({ "name": "Ada King" })).send().await;
    let kept: Vec<String> = sqlx::query_scalar(
        "select row_to_json(calls)::text from ledger.stripe_calls calls \
         union all select row_to_json(events)::text from ledger.events events",
    )
    .fetch_all(&shop.server.test.database.pool())
    .await
    .unwrap();
    let personal = ["ada@", "Ada", "Lovelace", "King", "+44", "Square", "London"];
    let told = kept.iter().find(|row| personal.iter().any(|text| row.contains(text)));
    assert!(kept.len() >= 3 && told.is_none(), "{told:?}");
}

#[tokio::test]
async fn a_customer_that_is_deleted_is_followed_by_another() {
    let shop = Shop::start().await;
    let first = put(&shop, &ada()).await;
    let gone = shop.server.call(Method::DELETE, CUSTOMER).send().await;
    assert_eq!((&gone.body["customer"], &gone.body["deleted"]), (&first.body["customer"], &json!(true)));
    // As soon as Stripe says so, with or without the webhook.
    shop.server.get(CUSTOMER).send().await.is_problem(409, "no_customer");
    shop.until(&format!("{ACME}/events"), |events| events.to_string().contains("CustomerUnlinked")).await;
    let second = put(&shop, &json!({})).await;
    assert_eq!((second.status.as_u16(), &second.body["name"]), (201, &Value::Null), "{}", second.text);
    assert_ne!(second.body["customer"], first.body["customer"]);
}

#[tokio::test]
async fn a_customer_that_stripe_has_deleted_is_none_before_the_webhook_says_so() {
    let shop = Shop::start().await;
    put(&shop, &ada()).await;
    shop.control("faults", json!({ "drop_percent": 100 })).await;
    assert_eq!(shop.server.call(Method::DELETE, CUSTOMER).send().await.status, 200);
    shop.server.get(CUSTOMER).send().await.is_problem(409, "no_customer");
    for method in [Method::PATCH, Method::PUT] {
        call(&shop, method, &json!({ "name": "Ada King" })).send().await.is_problem(409, "no_customer");
    }
}

#[tokio::test]
async fn a_customer_with_a_subscription_is_not_deleted() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &crate::support::shop::plan()).await;
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let refused = shop.server.call(Method::DELETE, CUSTOMER).send().await;
    refused.is_problem(409, "subscription_active");
    assert_eq!(shop.list("/v1/subscriptions").await.len(), 1);
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_completed_by_the_next_try() {
    let shop = Shop::start().await;
    put(&shop, &json!({})).await;
    shop.fail(json!([{ "cut": true, "after_work": true }])).await;
    let gone = shop.server.call(Method::DELETE, CUSTOMER).send().await;
    assert_eq!(gone.status, 200, "{}", gone.text);
}

#[tokio::test]
async fn a_stripe_that_is_broken_leaves_it_unknown_and_the_same_request_tells() {
    let shop = Shop::start().await;
    put(&shop, &ada()).await;
    shop.fail(json!([{ "status": 500, "times": 3 }])).await;
    let changes = json!({ "name": "Ada King" });
    call(&shop, Method::PATCH, &changes).send().await.is_problem(503, "stripe_outcome_unknown");
    let changed = call(&shop, Method::PATCH, &changes).send().await;
    assert_eq!(changed.body["name"], "Ada King");
}

#[tokio::test]
async fn what_could_be_nobodys_is_refused_with_its_path() {
    let shop = Shop::start().await;
    for (body, path) in [
        (json!({ "email": "ada" }), "$.email"),
        (json!({ "name": "a\nb" }), "$.name"),
        (json!({ "phone": "1".repeat(201) }), "$.phone"),
        (json!({ "address": { "country": "England" } }), "$.address.country"),
        (json!({ "address": { "street": "x" } }), "$.address.street"),
        (json!({ "metadata": {} }), "$.metadata"),
    ] {
        let answer = put(&shop, &body).await;
        answer.is_problem(422, "invalid_request");
        assert_eq!(answer.body["path"], path, "{}", answer.text);
    }
    assert!(shop.list("/v1/customers").await.is_empty());
}

/// Whoever asks has not shown that the address is theirs.
#[tokio::test]
async fn an_address_alone_makes_nobody_somebody_elses_customer() {
    let shop = Shop::start().await;
    let form = [("email", "ada@example.com"), ("name", "Ada")];
    let stranger = shop.at_stripe(Method::POST, "/v1/customers", &form).await;
    for email in [json!("ada@example.com"), Value::Null] {
        let body = json!({ "email": email });
        let became = put(&shop, &body).await;
        assert_ne!(became.body["customer"], stranger["id"], "{}", became.text);
    }
}
