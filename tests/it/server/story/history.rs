//! How did things come to be? The list of accounts and the history of subscriptions, after the whole story.

use serde_json::{Value, json};

use crate::support::{
    documents::{ADA, BOB, story},
    in_process::Program,
    ledger::noon,
};

const SHAPE: &str = "2025-basil";

async fn told_backwards() -> Program {
    let program = Program::start(noon()).await;
    for file in story(SHAPE).iter().rev() {
        program.deliver(SHAPE, file).await;
    }
    program.handled().await;
    program
}

fn all<'a>(document: &'a Value, list: &str) -> &'a [Value] {
    document[list].as_array().expect("a list")
}

#[tokio::test]
async fn subscriptions_changed_in_the_order_of_stripe_whatever_order_was_told() {
    let program = told_backwards().await;
    let history = program.read(&format!("/v1/accounts/{ADA}/subscription/history")).await;
    let changes = all(&history, "changes");
    let plans: Vec<&str> = changes.iter().map(|change| change["after"]["plan"].as_str().unwrap()).collect();
    let mut distinct = plans.clone();
    distinct.dedup();
    assert_eq!(distinct, ["basic", "creator", "basic"], "{plans:?}");
    assert_eq!(changes[0]["before"], Value::Null);
    for pair in changes.windows(2) {
        assert_eq!(pair[1]["before"], pair[0]["after"]);
    }
    let last = changes.last().expect("changes");
    assert_eq!((&last["type"], &last["after"]["status"]), (&json!("SubscriptionEnded"), &json!("cancelled")));
    assert!(last["stripe_event"].as_str().is_some_and(|event| event.starts_with("evt_")));
    // What was told last of all was the first that had happened.
    assert_eq!(changes[0]["late"], true);

    let nobodys = format!("/v1/accounts/{ADA}/subscription/history?subscription=sub_of_nobody");
    assert_eq!(all(&program.read(&nobodys).await, "changes"), [] as [Value; 0]);
}

#[tokio::test]
async fn accounts_are_listed_page_by_page_and_found_by_their_customer() {
    let program = told_backwards().await;
    let first = program.read("/v1/accounts?limit=1").await;
    let cursor = first["next_cursor"].as_str().expect("a second page");
    let second = program.read(&format!("/v1/accounts?limit=1&cursor={cursor}")).await;
    let mut listed: Vec<&Value> = [&first, &second].iter().flat_map(|page| all(page, "accounts")).collect();
    listed.sort_by_key(|account| account["account"].as_str());
    let ids: Vec<&Value> = listed.iter().map(|account| &account["account"]).collect();
    assert_eq!(ids, [ADA, BOB]);
    for account in listed {
        assert_eq!((&account["plan"], &account["status"]), (&json!("free"), &json!("open")));
        assert!(account["last_event"]["sequence"].as_i64().is_some_and(|sequence| sequence > 1));
    }
    let bob = program.read("/v1/accounts?customer=cus_QLedgerBob0002").await;
    assert_eq!(all(&bob, "accounts").len(), 1);
    assert_eq!(bob["accounts"][0]["account"], BOB);
    // Ada's customer was deleted at Stripe.
    let ada = program.read("/v1/accounts?customer=cus_QLedgerAda0001").await;
    assert_eq!(all(&ada, "accounts"), [] as [Value; 0]);
    let ada = program.read(&format!("/v1/accounts?prefix={}", &ADA[..8])).await;
    assert_eq!(ada["accounts"][0]["account"], ADA);
}
