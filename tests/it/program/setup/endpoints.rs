//! What becomes of endpoints that are there already?

use counterfoil::stripe::provisioning::doctor::{Code, Level};

use crate::support::stripe_account::{Account, URL, wrong};

async fn with_an_older_endpoint() -> (Account, String) {
    let mut account = Account::empty().await;
    let form = [("url", URL), ("api_version", "2024-04-10"), ("enabled_events[0]", "*")];
    let old = account.post("webhook_endpoints", &form).await["id"].as_str().unwrap().to_owned();
    account.set_up_and_set().await;
    (account, old)
}

async fn status(account: &Account, id: &str) -> String {
    let endpoints = account.list("webhook_endpoints").await;
    let kept = endpoints.iter().find(|kept| kept["id"] == id).unwrap();
    kept["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn one_of_another_version_stays_until_the_new_secret_is_in_use() {
    let (mut account, old) = with_an_older_endpoint().await;
    assert_eq!(account.objects().await[3], 2);
    assert_eq!(status(&account, &old).await, "enabled");
    assert!(account.plan().await.is_done());
    account.retire = true;
    account.set_up().await;
    assert_eq!(status(&account, &old).await, "disabled");
    assert_eq!(account.objects().await[3], 2);
    assert!(account.plan().await.is_done());
}

/// Somebody holds on to an older version for a while.
#[tokio::test]
async fn one_of_the_version_that_is_set_is_the_right_one() {
    let mut account = Account::empty().await;
    account.api_version = Some("2024-04-10".to_owned());
    account.set_up_and_set().await;
    let endpoints = account.list("webhook_endpoints").await;
    assert_eq!((endpoints.len(), &endpoints[0]["api_version"]), (1, &"2024-04-10".into()));
    assert_eq!(wrong(&account.examine().await), []);
    account.api_version = None;
    assert_eq!(wrong(&account.examine().await), [(Code::EndpointVersion, Level::Warning)]);
}

#[tokio::test]
async fn one_that_is_disabled_or_asks_for_other_types_is_set_right() {
    let account = Account::healthy().await;
    let id = account.list("webhook_endpoints").await[0]["id"].as_str().unwrap().to_owned();
    let form = [
        ("disabled", "true"),
        ("enabled_events[0]", "invoice.paid"),
        ("enabled_events[1]", "coupon.created"),
    ];
    account.post(&format!("webhook_endpoints/{id}"), &form).await;
    let before = account.plan().await;
    assert_eq!(before.changes(), 1, "{:#?}", before.steps);
    account.set_up().await;
    assert_eq!(status(&account, &id).await, "enabled");
    assert!(account.plan().await.is_done());
}

#[tokio::test]
async fn those_of_other_addresses_are_left_alone() {
    let account = Account::empty().await;
    let form = [("url", "https://elsewhere.example/hooks"), ("enabled_events[0]", "charge.succeeded")];
    let other = account.post("webhook_endpoints", &form).await;
    let mut account = Account { url: None, ..account };
    account.set_up().await;
    assert_eq!(account.list("webhook_endpoints").await, [other.clone()].map(without_secret));
    account.url = Some(URL.to_owned());
    account.set_up().await;
    assert!(account.list("webhook_endpoints").await.contains(&without_secret(other)));
}

fn without_secret(mut endpoint: serde_json::Value) -> serde_json::Value {
    endpoint.as_object_mut().unwrap().remove("secret");
    endpoint
}
