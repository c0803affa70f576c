//! Traps of the endpoint itself: is it noticed that Stripe sends nothing, or in other words than expected?

use crate::support::{
    receiver::Receiver,
    stripe_account::{Account, URL, wrong},
};
use counterfoil::stripe::provisioning::doctor::{Code, Level};

#[tokio::test]
async fn trap_11_endpoints_of_several_versions_are_named_with_theirs() {
    let account = Account::healthy().await;
    let form = [("url", URL), ("api_version", "2024-04-10"), ("enabled_events[0]", "invoice.paid")];
    account.post("webhook_endpoints", &form).await;
    let findings = account.examine().await;
    for (code, level) in [(Code::EndpointSingle, Level::Warning), (Code::EndpointVersion, Level::Warning)] {
        assert!(wrong(&findings).contains(&(code, level)), "{findings:#?}");
    }
    let version = findings.iter().find(|finding| finding.check == Code::EndpointVersion).unwrap();
    assert!(version.found.contains("2024-04-10, not 2026-09-30.endive"), "{}", version.found);
}

#[tokio::test]
async fn trap_39_a_disabled_endpoint_is_named_and_enabled_by_a_setup() {
    let receiver = Receiver::start().await;
    let mut account = Account::empty().await;
    account.url = Some(receiver.url());
    account.set_up_and_set().await;
    let id = account.list("webhook_endpoints").await[0]["id"].as_str().unwrap().to_owned();
    account.post(&format!("webhook_endpoints/{id}"), &[("disabled", "true")]).await;
    account.post("customers", &[("description", "Nobody hears of it")]).await;
    let findings = account.examine().await;
    assert_eq!(wrong(&findings), [(Code::EndpointEnabled, Level::Error)], "{findings:#?}");

    account.set_up().await;
    account.post("customers", &[("description", "Somebody does")]).await;
    let heard = receiver.event("type", "customer.created").await;
    assert_eq!(heard["data"]["object"]["description"], "Somebody does");
    assert_eq!(wrong(&account.examine().await), []);
}
