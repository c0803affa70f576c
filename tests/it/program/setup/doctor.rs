//! Does the doctor name exactly what is wrong? One fault is planted in each test.

use chrono::TimeDelta;
use counterfoil::{
    catalog::Mode,
    clock::Clock,
    stripe::provisioning::{
        doctor::{Code, Deployed, Level},
        setup::{prepare, set_up},
    },
};
use reqwest::Method;
use serde_json::json;

use crate::support::stripe_account::{Account, URL, wrong};

const BASIC: &str = "STRIPE_PRICE_BASIC";

async fn endpoint(account: &Account) -> String {
    let id = account.list("webhook_endpoints").await[0]["id"].as_str().unwrap().to_owned();
    format!("webhook_endpoints/{id}")
}

async fn assert_only(account: &Account, code: Code, level: Level) {
    let findings = account.examine().await;
    assert_eq!(wrong(&findings), [(code, level)], "{findings:#?}");
    let finding = findings.iter().find(|finding| finding.check == code).unwrap();
    assert!(finding.advice.is_some(), "{finding:?}");
}

#[tokio::test]
async fn a_clean_setup_passes_every_check() {
    let account = Account::healthy().await;
    let findings = account.examine().await;
    assert_eq!(wrong(&findings), [], "{findings:#?}");
    assert_eq!(findings.len(), 21, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.advice.is_none()));
    let page = include_str!("../../../../docs/STRIPE.md");
    for finding in findings {
        assert!(page.contains(&format!("\n| `{}` |", finding.check)), "docs/STRIPE.md: {}", finding.check);
    }
}

#[tokio::test]
async fn a_key_that_is_refused() {
    let account = Account::healthy().await;
    account.fail(vec![json!({ "status": 401, "times": 1000 })]).await;
    assert_only(&account, Code::Key, Level::Error).await;
}

#[tokio::test]
async fn a_restricted_key_without_a_right() {
    let account = Account::healthy().await;
    let may = ["products", "prices", "events", "billing_portal"];
    account.control("keys", json!({ "key": "rk_test_small", "may": may })).await;
    let findings = account.examine_as("rk_test_small", &Clock::system(), &account.deployed()).await.unwrap();
    assert_eq!(wrong(&findings), [(Code::Rights, Level::Error)], "{findings:#?}");
    let found = findings.iter().find(|finding| finding.check == Code::Rights).unwrap();
    assert_eq!(found.found, "the key may not read webhook endpoints");
}

#[tokio::test]
async fn the_rights_that_the_page_names_are_enough_for_setup_and_doctor() {
    let key = "rk_test_setup";
    let mut account = Account::empty().await;
    let may = ["products", "prices", "billing_portal", "webhook_endpoints", "events"];
    account.control("keys", json!({ "key": key, "may": may })).await;
    let (client, wanted) = (account.client(key), account.wanted());
    let plan = prepare(&client, &wanted, account.retire).await.expect("it may read all of it");
    let (report, outcome) = set_up(&client, &wanted, plan, account.retire, &|_| {}).await;
    outcome.expect("it may do all of it");
    account.settings.extend(report.settings);
    let findings = account.examine_as(key, &Clock::system(), &account.deployed()).await.unwrap();
    assert_eq!(wrong(&findings), [], "{findings:#?}");
}

#[tokio::test]
async fn a_key_of_the_other_mode() {
    let account = Account::healthy().await;
    let deployed = Deployed { mode: Mode::Live, ..account.deployed() };
    let findings = account.examine_as("sk_test_owner", &Clock::system(), &deployed).await.unwrap();
    assert_eq!(wrong(&findings), [(Code::Mode, Level::Error)], "{findings:#?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    let account = Account::healthy().await;
    for (ahead, level) in [(120, Level::Warning), (600, Level::Error)] {
        let clock = Clock::system();
        clock.advance(TimeDelta::seconds(ahead));
        let findings = account.examine_as("sk_test_owner", &clock, &account.deployed()).await.unwrap();
        assert_eq!(wrong(&findings), [(Code::Clock, level)], "{findings:#?}");
    }
}

#[tokio::test]
async fn a_price_without_an_id() {
    let mut account = Account::healthy().await;
    account.settings.remove("STRIPE_PRICE_PACK_500");
    assert_only(&account, Code::PricesSet, Level::Warning).await;
}

#[tokio::test]
async fn a_price_that_is_not_at_stripe() {
    let mut account = Account::healthy().await;
    account.settings.insert(BASIC.to_owned(), "price_of_another_account".to_owned());
    assert_only(&account, Code::PricesExist, Level::Error).await;
}

#[tokio::test]
async fn a_price_that_is_archived() {
    let account = Account::healthy().await;
    account.post(&format!("prices/{}", account.sale_id(BASIC)), &[("active", "false")]).await;
    assert_only(&account, Code::PricesActive, Level::Error).await;
}

#[tokio::test]
async fn a_price_of_another_amount_or_currency() {
    for (from, to) in
        [("amount = \"9.99\"", "amount = \"9.98\""), ("currency = \"usd\"", "currency = \"eur\"")]
    {
        let mut account = Account::healthy().await;
        account.text = account.text.replace(from, to);
        assert_only(&account, Code::PriceTerms, Level::Error).await;
    }
}

#[tokio::test]
async fn a_price_of_another_interval() {
    let mut account = Account::healthy().await;
    let annual = "STRIPE_PRICE_BASIC_ANNUAL";
    let [month, year] = [BASIC, annual].map(|name| account.settings[name].clone());
    account.settings.extend([(BASIC.to_owned(), year), (annual.to_owned(), month)]);
    assert_only(&account, Code::PriceTerms, Level::Error).await;
}

#[tokio::test]
async fn a_product_that_is_archived() {
    let account = Account::healthy().await;
    account.post("products/prod_music_plan_basic", &[("active", "false")]).await;
    assert_only(&account, Code::ProductsActive, Level::Error).await;
}

#[tokio::test]
async fn a_portal_that_is_not_set_or_not_there() {
    let mut account = Account::healthy().await;
    account.settings.insert("STRIPE_PORTAL_CONFIGURATION".to_owned(), "bpc_lost".to_owned());
    assert_only(&account, Code::Portal, Level::Error).await;
    account.settings.remove("STRIPE_PORTAL_CONFIGURATION");
    assert_only(&account, Code::Portal, Level::Warning).await;
}

#[tokio::test]
async fn a_portal_that_is_not_active() {
    let account = Account::healthy().await;
    let path = format!("billing_portal/configurations/{}", account.settings["STRIPE_PORTAL_CONFIGURATION"]);
    account.post(&path, &[("active", "false")]).await;
    assert_only(&account, Code::PortalActive, Level::Error).await;
}

#[tokio::test]
async fn a_portal_that_offers_other_plans() {
    let account = Account::healthy().await;
    let path = format!("billing_portal/configurations/{}", account.settings["STRIPE_PORTAL_CONFIGURATION"]);
    let products = "features[subscription_update][products][0]";
    let (product, price) = (format!("{products}[product]"), format!("{products}[prices][0]"));
    let form = [(product.as_str(), "prod_music_plan_basic"), (price.as_str(), account.sale_id(BASIC))];
    account.post(&path, &form).await;
    assert_only(&account, Code::PortalOffer, Level::Error).await;
}

#[tokio::test]
async fn no_secret_to_verify_with() {
    let account = Account::healthy().await;
    let deployed = Deployed { verifies: false, ..account.deployed() };
    let findings = account.examine_as("sk_test_owner", &Clock::system(), &deployed).await.unwrap();
    assert_eq!(wrong(&findings), [(Code::SigningSecret, Level::Error)], "{findings:#?}");
}

#[tokio::test]
async fn no_endpoint_at_this_address() {
    let account = Account::healthy().await;
    account.post(&endpoint(&account).await, &[("url", "https://old.example/v1/webhooks/stripe")]).await;
    assert_only(&account, Code::Endpoint, Level::Error).await;
}

#[tokio::test]
async fn an_endpoint_of_another_version() {
    let account = Account::healthy().await;
    account.ask(Method::DELETE, &endpoint(&account).await, &[]).await;
    let types = counterfoil::stripe::provisioning::setup::types();
    let types: Vec<(String, &str)> =
        types.iter().enumerate().map(|(place, kind)| (format!("enabled_events[{place}]"), *kind)).collect();
    let mut form = vec![("url", URL), ("api_version", "2025-03-31.basil")];
    form.extend(types.iter().map(|(name, kind)| (name.as_str(), *kind)));
    account.post("webhook_endpoints", &form).await;
    assert_only(&account, Code::EndpointVersion, Level::Warning).await;
}

#[tokio::test]
async fn an_endpoint_that_asks_for_too_little() {
    let account = Account::healthy().await;
    account.post(&endpoint(&account).await, &[("enabled_events[0]", "invoice.paid")]).await;
    assert_only(&account, Code::EventTypes, Level::Error).await;
}

#[tokio::test]
async fn an_endpoint_that_asks_for_everything() {
    let account = Account::healthy().await;
    account.post(&endpoint(&account).await, &[("enabled_events[0]", "*")]).await;
    assert_only(&account, Code::EventTypesSuperfluous, Level::Warning).await;
}

#[tokio::test]
async fn events_that_do_not_arrive() {
    let mut account = Account::healthy().await;
    // Nobody answers at this address.
    let nowhere = "http://127.0.0.1:9/v1/webhooks/stripe";
    account.post(&endpoint(&account).await, &[("url", nowhere)]).await;
    account.url = Some(nowhere.to_owned());
    account.post("customers", &[("email", "ada@example.com")]).await;
    assert_eq!(wrong(&account.examine().await), [], "it may still be on its way");
    // Ten minutes later. That this clock is then ahead of the other is what else is found.
    let clock = Clock::system();
    clock.advance(TimeDelta::minutes(10));
    let findings = account.examine_as("sk_test_owner", &clock, &account.deployed()).await.unwrap();
    assert_eq!(wrong(&findings), [(Code::Clock, Level::Error), (Code::Deliveries, Level::Warning)]);
}
