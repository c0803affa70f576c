//! Does whoever looks after accounts find them by what they are on, by their state and by what was attached to them?

use counterfoil::auth::keys::KeyScope;
use serde_json::{Value, json};

use crate::support::shop::Shop;

/// The ids that a list has, a page of `limit` at a time.
async fn ids(shop: &Shop, query: &str, limit: usize, key: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut cursor = None;
    for _ in 0..100 {
        let next = cursor.as_deref().map_or(String::new(), |cursor: &str| format!("&cursor={cursor}"));
        let page = shop.server.get(&format!("/v1/accounts?limit={limit}{query}{next}")).key(key).send().await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let accounts = page.body["accounts"].as_array().unwrap();
        assert!(accounts.len() <= limit);
        found.extend(accounts.iter().map(|account| account["account"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return found,
        }
    }
    panic!("{query} does not end");
}

/// `ann`, `ben` and `cid` are of the blue team, `dot` is of the red one; `ben` and `dot` have plans, `cid` is closed.
async fn several() -> Shop {
    let shop = Shop::start().await;
    for (account, team) in [("ann", "blue"), ("ben", "blue"), ("cid", "blue"), ("dot", "red")] {
        let body = json!({ "metadata": { "team": team, "url": "https://a.example/?b:c" } });
        let opened = shop.server.put(&format!("/v1/accounts/{account}"), body).send().await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        shop.server.test.clock.set(shop.server.test.clock.now().plus(chrono::TimeDelta::seconds(1)));
    }
    for account in ["ben", "dot"] {
        shop.subscribe_other(account).await;
    }
    shop.server.post("/v1/accounts/cid/close", json!({ "reason": "left" })).send().await;
    shop.settled().await;
    shop
}

async fn position(shop: &Shop) -> String {
    shop.server.everything().await
}

#[tokio::test]
async fn accounts_are_found_by_plan_status_and_metadata_page_by_page() {
    let shop = several().await;
    let (position, key) = (position(&shop).await, shop.server.admin.clone());
    for (query, accounts) in [
        ("", vec!["dot", "cid", "ben", "ann", "acme"]),
        ("&status=open", vec!["dot", "ben", "ann", "acme"]),
        ("&status=closed", vec!["cid"]),
        ("&plan=creator", vec!["dot", "ben"]),
        ("&plan=free", vec!["cid", "ann", "acme"]),
        ("&plan=free&status=open", vec!["ann", "acme"]),
        ("&plan=gold", vec![]),
        ("&metadata=team:blue", vec!["cid", "ben", "ann"]),
        ("&metadata=team:blue&status=open", vec!["ben", "ann"]),
        ("&metadata=team:blue&plan=free", vec!["cid", "ann"]),
        ("&metadata=team:blue&plan=free&status=closed", vec!["cid"]),
        ("&metadata=team:red&plan=creator", vec!["dot"]),
        ("&metadata=team:green", vec![]),
        ("&metadata=team:blu", vec![]),
        ("&metadata=crew:blue", vec![]),
        ("&metadata=url:https://a.example/?b:c&plan=free", vec!["cid", "ann"]),
        ("&prefix=", vec!["acme", "ann", "ben", "cid", "dot"]),
        ("&prefix=b", vec!["ben"]),
        ("&prefix=be%25", vec![]),
    ] {
        let query = format!("{query}&min_position={position}");
        for limit in [1, 2, 100] {
            assert_eq!(ids(&shop, &query, limit, &key).await, accounts, "{query} {limit}");
        }
    }
    let listed = shop.server.get("/v1/accounts?prefix=ben").send().await;
    let ben = &listed.body["accounts"][0];
    assert_eq!(ben["metadata"], json!({ "team": "blue", "url": "https://a.example/?b:c" }));
    assert_eq!((&ben["plan"], &ben["subscription_status"]), (&json!("creator"), &json!("active")));
    let customer = ben["customers"][0].as_str().unwrap();
    for (query, accounts) in
        [("", vec!["ben"]), ("&plan=creator", vec!["ben"]), ("&plan=free", vec![]), ("&prefix=d", vec![])]
    {
        let query = format!("&customer={customer}{query}");
        assert_eq!(ids(&shop, &query, 1, &key).await, accounts, "{query}");
    }
    for wrong in [
        "status=paused",
        "plan=a%20b",
        "metadata=team",
        "metadata=:blue",
        "metadata=team:",
        "metadata=a.b:c",
        "metadata=account_id:acme",
        "prefix=a&plan=free",
        "prefix=a&status=open",
        "prefix=a&metadata=team:blue",
        "metadata=a:b&metadata=c:d",
    ] {
        let path = format!("/v1/accounts?{wrong}");
        shop.server.get(&path).send().await.is_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn the_list_follows_what_changes() {
    let shop = several().await;
    let key = shop.server.admin.clone();
    let put = async |account: &str, metadata: Value| {
        let body = json!({ "metadata": metadata });
        let put = shop.server.put(&format!("/v1/accounts/{account}"), body).send().await;
        assert_eq!(put.status, 200, "{}", put.text);
    };
    put("ann", json!({ "team": "red" })).await;
    put("ben", json!({})).await;
    put("dot", json!({ "team": "red", "note": "😀".repeat(500) })).await;
    let ended = shop.server.post("/v1/accounts/dot/subscription/cancel", json!({ "at": "now" })).send().await;
    assert_eq!(ended.status, 202, "{}", ended.text);
    shop.settled().await;
    let position = position(&shop).await;
    for (query, accounts) in [
        ("&metadata=team:blue", vec!["cid"]),
        ("&metadata=team:red", vec!["dot", "ann"]),
        ("&metadata=team:red&plan=free", vec!["dot", "ann"]),
        ("&metadata=team:red&plan=creator", vec![]),
        ("&plan=creator", vec!["ben"]),
        ("&plan=free&status=open", vec!["dot", "ann", "acme"]),
    ] {
        let query = format!("{query}&min_position={position}");
        assert_eq!(ids(&shop, &query, 1, &key).await, accounts, "{query}");
    }
}

#[tokio::test]
async fn a_key_for_some_accounts_lists_its_own_alone() {
    let shop = several().await;
    let position = position(&shop).await;
    let own = shop.server.key([KeyScope::Read], Some(&["cid", "dot", "nobody"])).await;
    let customer = shop.server.get(&format!("/v1/accounts?prefix=ben&min_position={position}")).send().await;
    let customer = customer.body["accounts"][0]["customers"][0].as_str().unwrap().to_owned();
    for (query, accounts) in [
        (String::new(), vec!["dot", "cid"]),
        ("&prefix=a".to_owned(), vec![]),
        ("&prefix=d".to_owned(), vec!["dot"]),
        ("&plan=free".to_owned(), vec!["cid"]),
        ("&metadata=team:blue".to_owned(), vec!["cid"]),
        ("&metadata=team:blue&plan=free&status=open".to_owned(), vec![]),
        ("&status=open".to_owned(), vec!["dot"]),
        (format!("&customer={customer}"), vec![]),
    ] {
        let query = format!("{query}&min_position={position}");
        for limit in [1, 100] {
            assert_eq!(ids(&shop, &query, limit, &own).await, accounts, "{query} {limit}");
        }
    }
    let billing = shop.server.key([KeyScope::Billing], Some(&["cid"])).await;
    shop.server.get("/v1/accounts").key(&billing).send().await.is_problem(403, "scope_missing");
}
