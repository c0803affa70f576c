//! Is what a caller attaches given back as it was given: with the account, the page, the payment and the subscription?

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, pack, plan, with};

fn given() -> Value {
    json!({ "source": "spring_mail", "ref-1": "ünïcode, 7" })
}

#[tokio::test]
async fn an_accounts_metadata_is_what_was_put_last() {
    let shop = Shop::start().await;
    let put = |body: Value| shop.server.put("/v1/accounts/ada", body).send();
    let opened = put(json!({ "metadata": given() })).await;
    assert_eq!((opened.status.as_u16(), &opened.body["metadata"]), (201, &given()), "{}", opened.text);
    let repeated = put(json!({ "metadata": given() })).await;
    assert_eq!((repeated.status.as_u16(), &repeated.body["position"]), (200, &opened.body["position"]));
    assert_eq!(put(json!({})).await.body["metadata"], given(), "what is left out stays");
    assert_eq!(shop.server.get("/v1/accounts/ada").send().await.body["metadata"], given());
    let other = put(json!({ "metadata": { "source": "web" } })).await;
    assert_eq!(other.body["metadata"], json!({ "source": "web" }));
    assert_eq!(put(json!({ "metadata": given() })).await.body["metadata"], given(), "back again");
    assert_eq!(put(json!({ "metadata": {} })).await.body["metadata"], json!({}));
    for wrong in
        [json!({ "account_id": "acme" }), json!({ "a b": "c" }), json!({ "a": "" }), json!({ "a": 1 })]
    {
        put(json!({ "metadata": wrong })).await.is_problem(422, "invalid_request");
    }
    let batch = json!([{ "account": "bob", "command": "open", "metadata": given() }]);
    let answers = shop.server.post("/v1/commands", batch).send().await;
    assert_eq!(answers.body[0]["body"]["metadata"], given(), "{}", answers.text);
}

#[tokio::test]
async fn a_subscriptions_metadata_is_that_of_its_page() {
    let shop = Shop::start().await;
    let order = with(plan(), "metadata", given());
    let opened = shop.checkout("k1", &order).await;
    assert_eq!(opened.body["metadata"], given(), "{}", opened.text);
    assert_eq!(shop.checkout("k1", &order).await.body, opened.body);
    shop.checkout("k1", &plan()).await.is_problem(422, "idempotency_key_reused");
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let now = shop.server.get(&format!("{ACME}/subscription")).send().await.body;
    assert_eq!(now["subscription"]["metadata"], given());
    let listed = shop.server.get(&format!("{ACME}/subscriptions")).send().await.body;
    assert_eq!(listed["subscriptions"][0]["subscription"]["metadata"], given());
    let events = shop.server.get(&format!("{ACME}/events")).send().await.text;
    assert!(events.contains("spring_mail"), "the ledger knows where a checkout came from");
    // What others write at Stripe is theirs, and may be personal: it is not kept.
    let row = shop.path().await;
    shop.at_stripe(Method::POST, &row, &[("metadata[note]", "ada@example.com")]).await;
    shop.amend("pause", "k2", &json!({})).await;
    shop.until(&format!("{ACME}/subscription"), |now| now["subscription"]["collection_paused"] == true).await;
    let now = shop.server.get(&format!("{ACME}/subscription")).send().await.body;
    assert_eq!(now["subscription"]["metadata"], given());
    let inside: Vec<String> =
        sqlx::query_scalar("select row_to_json(events)::text from ledger.events events")
            .fetch_all(&shop.server.test.database.pool())
            .await
            .unwrap();
    assert!(!inside.join("\n").contains("ada@example.com"));
}

#[tokio::test]
async fn a_payments_metadata_is_that_of_its_page_or_its_own() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &with(pack(), "metadata", given())).await;
    shop.pay(&opened.body).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_050).await;
    let payments = format!("{ACME}/payments");
    let listed = shop.server.get(&payments).send().await.body;
    assert_eq!(listed["payments"][0]["metadata"], given(), "{listed:#}");
    let order = json!({ "amount": 900, "reference": "order-7", "metadata": given() });
    let made = shop.server.post(&payments, order).send().await;
    assert_eq!(
        (&made.body["metadata"], &made.body["reference"]),
        (&given(), &json!("order-7")),
        "{}",
        made.text
    );
    // Nobody makes a payment for something into one for a pack.
    let forged = json!({ "amount": 900, "metadata": { "kind": "topup", "topup_code": "pack_500" } });
    shop.server.post(&payments, forged).send().await.is_problem(422, "invalid_request");
}
