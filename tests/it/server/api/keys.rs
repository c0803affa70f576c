//! Who may do what, and how fast.

use chrono::TimeDelta;
use counterfoil::{
    auth::keys::{self, Bootstrap, KeyScope},
    catalog::Mode,
    http::HttpSettings,
};
use reqwest::Method;
use serde_json::json;

use crate::support::http::Server;

#[tokio::test]
async fn a_missing_or_wrong_key_opens_nothing() {
    let server = Server::start().await;
    server.open("acme").await;
    let balance = || server.get("/v1/accounts/acme/balance");
    let answer = balance().without_key().send().await;
    answer.is_problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    balance().key("cf_test_nobody_has_this_key").send().await.is_problem(401, "api_key_invalid");
    balance().key(&"x".repeat(1000)).send().await.is_problem(401, "api_key_invalid");
    assert_eq!(answer.body["detail"], "No API key was sent.");
    for other in ["Basic YTpi", &server.admin, "Bearer", "Bearer "] {
        let answer = balance().without_key().header("authorization", other).send().await;
        answer.is_problem(401, "unauthenticated");
        let detail = "The header `Authorization` is not `Bearer`, a space and an API key.";
        assert_eq!(answer.body["detail"], detail, "{other}");
    }
    balance().without_key().header("authorization", &format!("bearer {}", server.admin)).send().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_comes_with_a_new_key_is_let_in() {
    let server = Server::start().await;
    server.open("acme").await;
    let key = server.key([KeyScope::Read], None).await;
    let asks = (0..200).map(|_| server.get("/v1/accounts/acme/balance").key(&key).send());
    let answers = futures::future::join_all(asks).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let server = Server::start().await;
    server.open("acme").await;
    let read = server.key([KeyScope::Read], None).await;
    assert_eq!(server.get("/v1/accounts/acme/balance").key(&read).send().await.status, 200);
    let deduct = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).key(&read).send().await;
    deduct.is_problem(403, "scope_missing");
    assert_eq!(deduct.body["scopes"], json!(["deduct", "admin"]));
    // Whoever may not do it is not told what else is wrong with it.
    let nonsense =
        server.post("/v1/accounts/acme/deductions", json!({ "nonsense": 1 })).key(&read).send().await;
    nonsense.is_problem(403, "scope_missing");
}

#[tokio::test]
async fn a_key_for_some_accounts_sees_no_others() {
    let server = Server::start().await;
    server.open("acme").await;
    server.open("other").await;
    let key = server.key([KeyScope::Read, KeyScope::Billing], Some(&["acme"])).await;
    assert_eq!(server.get("/v1/accounts/acme/balance").key(&key).send().await.status, 200);
    server.get("/v1/accounts/other/balance").key(&key).send().await.is_problem(403, "account_not_allowed");
    let all = server.get("/v1/analytics/mrr?from=2026-01-01&to=2026-01-02").key(&key).send().await;
    all.is_problem(403, "account_not_allowed");
}

#[tokio::test]
async fn keys_are_made_shown_once_and_revoked_over_http() {
    let server = Server::start().await;
    server.open("acme").await;
    let made = json!({ "name": "render farm", "scopes": ["deduct"], "expires_at": "2026-11-20T13:00:00Z" });
    let made = server.post("/v1/api-keys", made).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("cf_test_"));
    let spend = || server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).key(&secret);
    assert_eq!(spend().send().await.status, 201);

    let listed = server.get("/v1/api-keys").send().await;
    assert!(!listed.text.contains(&secret));
    let key = listed.body["api_keys"].as_array().unwrap().iter().find(|key| key["name"] == "render farm");
    assert_eq!(key.unwrap()["last_used_at"], "2026-11-20T12:00:00Z");

    server.test.clock.set(server.test.clock.now().plus(TimeDelta::hours(1)));
    spend().send().await.is_problem(401, "api_key_expired");
    let id = made.body["key"]["id"].as_str().unwrap();
    let revoked = server.call(Method::DELETE, &format!("/v1/api-keys/{id}")).send().await;
    assert_eq!((revoked.status.as_u16(), &revoked.body["revoked_at"]), (200, &json!("2026-11-20T13:00:00Z")));
    spend().send().await.is_problem(401, "api_key_invalid");
}

#[tokio::test]
async fn a_key_without_a_name_or_that_is_over_is_not_made() {
    let server = Server::start().await;
    for (name, value) in [("name", json!("")), ("expires_at", json!("2026-11-20T11:59:59Z"))] {
        let mut order = json!({ "name": "n", "scopes": ["read"] });
        order[name] = value;
        let refused = server.post("/v1/api-keys", order).send().await;
        refused.is_problem(422, "invalid_request");
        assert!(refused.text.contains(&format!("$.{name}")), "{}", refused.text);
    }
}

/// What cannot be kept is refused, and not made less.
#[tokio::test]
async fn a_key_has_the_limit_that_was_asked_for() {
    let server = Server::start().await;
    let make = async |limit: u64| {
        let order = json!({ "name": "n", "scopes": ["read", "read"], "requests_per_minute": limit });
        server.post("/v1/api-keys", order).send().await
    };
    let most = make(2_147_483_647).await;
    assert_eq!(most.body["key"]["requests_per_minute"], 2_147_483_647, "{}", most.text);
    assert_eq!(most.body["key"]["scopes"], json!(["read"]));
    let more = make(2_147_483_648).await;
    more.is_problem(422, "invalid_request");
    assert_eq!(more.body["path"], "$.requests_per_minute");
}

#[tokio::test]
async fn the_first_key_is_the_given_one_or_is_made_once() {
    let server = Server::start().await;
    let (pool, clock) = (server.test.database.pool(), &server.test.clock);
    let bootstrap = |given| keys::bootstrap(&pool, clock, given, Mode::Test, |_| Ok(()));
    assert!(matches!(bootstrap(None).await, Ok(Bootstrap::Exists)));
    let given = "a-key-that-an-operator-has-made-up";
    for short in ["short", &given[..31]] {
        assert!(bootstrap(Some(short)).await.is_err(), "{short}");
    }
    for _ in 0..2 {
        assert!(matches!(bootstrap(Some(given)).await, Ok(Bootstrap::Given(_))));
    }
    let listed = server.get("/v1/api-keys").key(given).send().await;
    assert_eq!(listed.status, 200);
    sqlx::query("delete from ledger.api_keys").execute(&pool).await.unwrap();
    let (one, other) = tokio::join!(bootstrap(None), bootstrap(None));
    let made = [one, other].into_iter().filter(|made| matches!(made, Ok(Bootstrap::Made(_)))).count();
    assert_eq!(made, 1, "two that start at once make one key");
    sqlx::query("delete from ledger.api_keys").execute(&pool).await.unwrap();
    let (one, other) = tokio::join!(bootstrap(Some(given)), bootstrap(Some(given)));
    assert!(matches!((one, other), (Ok(Bootstrap::Given(_)), Ok(Bootstrap::Given(_)))));
    assert_eq!(keys::list(&pool).await.unwrap().len(), 1, "two that are given the same key store it once");
}

#[tokio::test]
async fn a_caller_that_is_too_fast_is_told_when_to_come_back() {
    let settings = HttpSettings { requests_per_minute: Some(3), ..HttpSettings::default() };
    let server = Server::start_with(settings).await;
    let made = server.post("/v1/api-keys", json!({ "name": "slow", "scopes": ["read"] })).send().await;
    let key = made.body["secret"].as_str().unwrap();
    let keys = || server.get("/v1/accounts/acme/balance").key(key);
    for remaining in (0..3).rev() {
        let answer = keys().send().await;
        assert_eq!(answer.header("ratelimit-policy"), Some("\"default\";q=3;w=60"));
        let state = answer.header("ratelimit").unwrap();
        assert!(state.starts_with(&format!("\"default\";r={remaining};t=")), "{state}");
    }
    let refused = keys().send().await;
    refused.is_problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(server.get("/v1/api-keys").send().await.header("ratelimit"), None, "this key has no limit");
}
