//! Does whoever looks after all accounts find their subscriptions, payments and refunds?

use counterfoil::auth::keys::KeyScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::shop::{Shop, pack};

/// Every member of a list, a page of `limit` at a time, and how many pages that were.
async fn all(shop: &Shop, path: &str, name: &str, limit: usize) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut cursor = None;
    for _ in 0..100 {
        let sign = if path.contains('?') { '&' } else { '?' };
        let next = cursor.as_deref().map_or(String::new(), |cursor: &str| format!("&cursor={cursor}"));
        let page = shop.server.get(&format!("{path}{sign}limit={limit}{next}")).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        let members = page.body[name].as_array().unwrap();
        assert!(members.len() <= limit);
        found.extend(members.iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return found,
        }
    }
    panic!("{path} does not end");
}

fn texts<'a>(members: &'a [Value], name: &str) -> Vec<&'a str> {
    members.iter().map(|member| member[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn payments_and_refunds_of_all_accounts_are_listed_page_by_page() {
    let shop = Shop::subscribed().await;
    shop.advance("1 hour").await;
    shop.subscribe_other("other").await;
    let opened = shop.checkout("packs", &pack()).await;
    shop.pay(&opened.body).await;
    shop.until("/v1/accounts/acme/balance", |balance| balance["available"] == 1_550 + 1_000).await;
    let position = shop.server.everything().await;
    let path = format!("/v1/payments?min_position={position}");
    let whole = all(&shop, &path, "payments", 100).await;
    assert_eq!(whole.len(), 3, "{whole:?}");
    assert_eq!(all(&shop, &path, "payments", 1).await, whole);
    assert_eq!(all(&shop, &path, "payments", 2).await, whole);
    let times = texts(&whole, "paid_at");
    assert!(times.is_sorted_by(|one, other| one >= other), "the newest first: {times:?}");
    let packs = all(&shop, &format!("{path}&type=pack"), "payments", 2).await;
    let [bought] = packs.as_slice() else { panic!("{packs:?}") };
    assert_eq!((&bought["pack"], &bought["quantity"]), (&json!("pack_500"), &json!(2)));
    assert_eq!((&bought["account"], &bought["invoice"]), (&json!("acme"), &Value::Null));
    assert_eq!(bought["amount"], json!({ "minor": 1_200, "currency": "usd" }));
    let paid = all(&shop, &format!("{path}&type=subscription"), "payments", 1).await;
    assert_eq!(texts(&paid, "account"), ["other", "acme"]);
    for one in &paid {
        assert!(one["invoice"].as_str().unwrap().starts_with("in_"), "{one}");
        assert!(one["subscription"].as_str().unwrap().starts_with("sub_"), "{one}");
        assert_eq!((&one["plan"], &one["quantity"]), (&json!("creator"), &Value::Null));
    }
    // What is for nothing that is sold here is not recorded, and is not offered.
    shop.server.get("/v1/payments?type=plain").send().await.is_problem(400, "invalid_parameter");

    let charges = shop.list("/v1/charges").await;
    for charge in &charges {
        let charge = charge["id"].as_str().unwrap();
        shop.at_stripe(Method::POST, "/v1/refunds", &[("charge", charge), ("amount", "100")]).await;
    }
    shop.settled().await;
    let position = shop.server.everything().await;
    let path = format!("/v1/refunds?min_position={position}");
    let whole = all(&shop, &path, "refunds", 100).await;
    assert_eq!(whole.len(), charges.len(), "{whole:?}");
    assert_eq!(all(&shop, &path, "refunds", 1).await, whole);
    assert!(
        whole.iter().all(|refund| refund["amount"]["minor"] == 100 && refund["failed"] == false),
        "{whole:?}"
    );
    assert!(texts(&whole, "payment").contains(&bought["payment"].as_str().unwrap()), "{whole:?}");
}

#[tokio::test]
async fn subscriptions_of_all_accounts_are_listed_by_plan_and_status() {
    let shop = Shop::subscribed().await;
    for account in ["b", "c", "d"] {
        shop.subscribe_other(account).await;
    }
    let order = json!({ "at": "now" });
    let ended = shop.server.post("/v1/accounts/c/subscription/cancel", order).send().await;
    assert_eq!(ended.status, 202, "{}", ended.text);
    let larger = json!({ "plan": "team" });
    let changed = shop.server.post("/v1/accounts/d/subscription/change", larger).send().await;
    assert_eq!(changed.status, 202, "{}", changed.text);
    shop.settled().await;
    let position = shop.server.everything().await;
    for (query, accounts) in [
        ("", vec!["acme", "b", "c", "d"]),
        ("&status=active", vec!["acme", "b", "d"]),
        ("&status=cancelled", vec!["c"]),
        ("&status=paused", vec![]),
        ("&plan=creator", vec!["acme", "b", "c"]),
        ("&plan=team", vec!["d"]),
        ("&plan=creator&status=active", vec!["acme", "b"]),
        ("&plan=gold", vec![]),
    ] {
        let path = format!("/v1/subscriptions?min_position={position}{query}");
        for limit in [1, 2, 100] {
            let found = all(&shop, &path, "subscriptions", limit).await;
            assert_eq!(texts(&found, "account"), accounts, "{query} {limit}");
        }
    }
    let one = shop.server.get("/v1/subscriptions?plan=team").send().await;
    let listed = &one.body["subscriptions"][0]["subscription"];
    let own = shop.server.get("/v1/accounts/d/subscription").send().await;
    assert_eq!(*listed, own.body["subscription"], "{}", one.text);
    shop.server.get("/v1/subscriptions?status=lost").send().await.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_key_for_some_accounts_lists_those_of_none() {
    let shop = Shop::start().await;
    let restricted = shop.server.key([KeyScope::Billing], Some(&["acme"])).await;
    for path in ["/v1/subscriptions", "/v1/payments", "/v1/refunds"] {
        shop.server.get(path).key(&restricted).send().await.is_problem(403, "account_not_allowed");
    }
}
