//! Who sees how the server is doing?

use counterfoil::auth::keys::KeyScope;

use crate::support::{database::TestDatabase, http::Server, program::Served};

async fn served(metrics: Option<&'static str>) -> (TestDatabase, Served) {
    let database = TestDatabase::create().await;
    let url = database.url();
    let start = move || {
        Served::start(|command| {
            command
                .env("DATABASE_URL", url)
                .envs(metrics.map(|listen| ("COUNTERFOIL_METRICS_LISTEN", listen)));
        })
    };
    (database, tokio::task::spawn_blocking(start).await.unwrap())
}

#[tokio::test]
async fn metrics_are_for_keys_that_read_or_operate() {
    let server = Server::start().await;
    let metrics = || server.get("/metrics");
    metrics().without_key().send().await.is_problem(401, "unauthenticated");
    metrics().key("cf_test_nobody").send().await.is_problem(401, "api_key_invalid");
    for scope in [KeyScope::Read, KeyScope::Operate, KeyScope::Admin] {
        let key = server.key([scope], None).await;
        assert_eq!(metrics().key(&key).send().await.status, 200, "{scope}");
    }
    for scope in [KeyScope::Deduct, KeyScope::Billing, KeyScope::Audit] {
        let key = server.key([scope], None).await;
        metrics().key(&key).send().await.is_problem(403, "scope_missing");
    }
    let key = server.key([KeyScope::Read], Some(&["acme"])).await;
    metrics().key(&key).send().await.is_problem(403, "account_not_allowed");
}

#[tokio::test]
async fn a_listener_of_their_own_asks_for_no_key_and_has_nothing_else() {
    let (_database, served) = served(Some("127.0.0.1:0")).await;
    let address = served.banner["metrics"].as_str().expect("it is named").to_owned();
    let get = async |path: &str| reqwest::get(format!("http://{address}{path}")).await.unwrap();
    let metrics = get("/metrics").await;
    assert_eq!(metrics.status().as_u16(), 200);
    let text = metrics.text().await.unwrap();
    assert!(text.contains("counterfoil_clock_behind_seconds 0"), "{text}");
    for elsewhere in ["/", "/healthz", "/docs/", "/v1/catalog", "/v1/accounts/acme", "/openapi.json"] {
        assert_eq!(get(elsewhere).await.status().as_u16(), 404, "{elsewhere}");
    }
    let beside = reqwest::get(served.url("/metrics")).await.unwrap();
    assert_eq!(beside.status().as_u16(), 401, "strangers come to the other one");
    let stopped = tokio::task::spawn_blocking(move || served.stop()).await.unwrap();
    assert_eq!(stopped.code(), Some(0));
}

#[tokio::test]
async fn whoever_asks_for_metrics_often_is_told_what_was_measured_last() {
    let (_database, served) = served(None).await;
    assert!(served.banner.get("metrics").is_none());
    let client = reqwest::Client::new();
    let scrape = async || {
        let metrics =
            client.get(served.url("/metrics")).bearer_auth(served.admin_key()).send().await.unwrap();
        assert_eq!(metrics.headers()["cache-control"], "no-store");
        metrics.text().await.unwrap()
    };
    let mut texts = Vec::new();
    for _ in 0..50 {
        texts.push(scrape().await);
    }
    let told = texts.len();
    texts.dedup();
    assert!(texts.len() < told / 2, "{} of {told} were measured anew", texts.len());
}
