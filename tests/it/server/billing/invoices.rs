//! Does a person find what the account was billed?

use serde_json::{Value, json};

use crate::support::shop::{ACME, Shop, plan};

const INVOICES: &str = "/v1/accounts/acme/invoices";

#[tokio::test]
async fn invoices_are_listed_with_their_links() {
    let shop = Shop::start().await;
    let empty = shop.server.get(INVOICES).send().await;
    assert_eq!(empty.body, json!({ "invoices": [], "next_cursor": null }));
    let opened = shop.checkout("k1", &plan()).await;
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let listed = shop.server.get(INVOICES).send().await;
    let invoice = &listed.body["invoices"][0];
    assert_eq!((&invoice["status"], &invoice["paid"]), (&json!("paid"), &json!(1_999)), "{}", listed.text);
    assert_eq!(invoice["total"], json!({ "minor": 1_999, "currency": "usd" }));
    assert_eq!(invoice["reason"], "subscription_create");
    assert!(invoice["subscription"].as_str().unwrap().starts_with("sub_"), "{invoice}");
    let page = reqwest::get(invoice["hosted_invoice_url"].as_str().unwrap()).await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("19.99 USD"));
    let file = reqwest::get(invoice["invoice_pdf"].as_str().unwrap()).await.unwrap();
    assert_eq!(file.headers()["content-type"], "application/pdf");
    assert!(file.bytes().await.unwrap().starts_with(b"%PDF-1."));
}

#[tokio::test]
async fn invoices_are_filtered_and_given_in_pages() {
    let shop = Shop::start().await;
    let opened = shop.checkout("k1", &plan()).await;
    shop.pay(&opened.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    shop.advance("2 months").await;
    let list = async |query: &str| shop.server.get(&format!("{INVOICES}?{query}")).send().await.body;
    let ids = |body: &Value| -> Vec<Value> {
        body["invoices"].as_array().unwrap().iter().map(|invoice| invoice["invoice"].clone()).collect()
    };
    let all = ids(&list("").await);
    assert!(all.len() >= 2, "{all:?}");
    let first = list("limit=1").await;
    assert_eq!(ids(&first), all[..1]);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(ids(&list(&format!("cursor={cursor}")).await), all[1..]);
    let open = list("status=open").await;
    assert!(ids(&open).is_empty(), "{open}");
    assert!(!ids(&list("status=paid").await).is_empty());
    let wrong = shop.server.get(&format!("{INVOICES}?cursor=in_gone")).send().await;
    wrong.is_problem(400, "invalid_parameter");
    shop.server.get(&format!("{INVOICES}?status=lost")).send().await.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_stripe_that_does_not_answer_is_said_to() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    shop.fail(json!([{ "status": 500, "times": 3 }])).await;
    shop.server.get(INVOICES).send().await.is_problem(503, "stripe_unavailable");
    shop.server.get("/v1/accounts/nobody/invoices").send().await.is_problem(404, "account_not_found");
}
