//! What can be read of earlier payments?

use reqwest::Method;
use serde_json::{Value, json};

use super::payments::{PAYMENTS, act, available, bought, make, packs, seen, with_card};
use crate::support::shop::{ACME, Shop};

#[tokio::test]
async fn the_history_has_every_payment_of_the_customer_in_pages() {
    let shop = Shop::start().await;
    let empty = shop.server.get(PAYMENTS).send().await;
    assert_eq!(empty.body, json!({ "payments": [], "next_cursor": null }));
    let first = bought(&shop).await;
    let second = make(&shop, packs(1)).await;
    let session = shop.checkout("k1", &crate::support::shop::pack()).await;
    shop.pay(&session.body).await;
    let page = shop.server.get(&format!("{PAYMENTS}?limit=2")).send().await;
    let ids = |page: &Value| -> Vec<Value> {
        page["payments"].as_array().unwrap().iter().map(|payment| payment["payment"].clone()).collect()
    };
    assert_eq!((ids(&page.body).len(), &ids(&page.body)[1]), (2, &json!(second)));
    assert_eq!(page.body["payments"][0]["pack"], "pack_500", "the page's payment, too");
    assert!(!page.text.contains("_secret_"), "a list is not for a browser to go on with");
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let rest = shop.server.get(&format!("{PAYMENTS}?limit=2&cursor={cursor}")).send().await;
    assert_eq!((ids(&rest.body), &rest.body["next_cursor"]), (vec![json!(first)], &Value::Null));
    shop.server.get(&format!("{PAYMENTS}?cursor=pi_gone")).send().await.is_problem(400, "invalid_parameter");
}

/// In the account's own list, as in that of all accounts.
#[tokio::test]
async fn each_payment_says_what_it_was_for_and_which_invoice_it_paid() {
    let shop = Shop::subscribed().await;
    let session = shop.checkout("k1", &crate::support::shop::pack()).await;
    shop.pay(&session.body).await;
    available(&shop, 2_550).await;
    let bought = make(&shop, packs(1)).await;
    let plain = make(&shop, json!({ "amount": 700 })).await;
    act(&shop, &plain, "confirm", with_card("pm_card_visa")).await;
    // Of somebody who pays for something else, without a word of what.
    let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
    let form = [("amount", "900"), ("currency", "usd"), ("customer", customer.as_str())];
    let other = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await["id"].clone();
    shop.settled().await;
    let now = shop.server.get(ACME).send().await.body["as_of_position"].as_str().unwrap().to_owned();
    let all = shop.server.get(&format!("/v1/payments?min_position={now}")).send().await.body;
    let own = shop.server.get(PAYMENTS).send().await.body;
    let own = own["payments"].as_array().unwrap();
    let of =
        |id: &Value| own.iter().find(|one| one["payment"] == *id).unwrap_or_else(|| panic!("{id}: {own:#?}"));
    let recorded = all["payments"].as_array().unwrap();
    assert_eq!(recorded.len(), 2, "{all:#}");
    for one in recorded {
        let same = of(&one["payment"]);
        for name in ["type", "invoice", "subscription", "plan", "pack", "quantity", "amount"] {
            assert_eq!(same[name], one[name], "{name} of {one:#}");
        }
        assert_eq!(seen(&shop, one["payment"].as_str().unwrap()).await["type"], one["type"]);
    }
    let types: Vec<&Value> = recorded.iter().map(|one| &one["type"]).collect();
    assert!(types.contains(&&json!("subscription")) && types.contains(&&json!("pack")), "{all:#}");
    assert!(recorded.iter().any(|one| one["invoice"].as_str().is_some_and(|id| id.starts_with("in_"))));
    let (made, paid) = (of(&json!(bought)), of(&json!(plain)));
    assert_eq!(
        (&made["type"], &made["quantity"], &made["invoice"]),
        (&json!("pack"), &json!(1), &Value::Null)
    );
    assert_eq!(
        (&paid["type"], &paid["quantity"], &paid["invoice"]),
        (&json!("plain"), &Value::Null, &Value::Null)
    );
    assert_eq!(of(&other)["type"], Value::Null, "nobody has said");
}
