//! Is nothing made twice, wherever the connection ends?

use counterfoil::stripe::provisioning::setup::SetupError;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::stripe_account::{Account, MUSIC_OBJECTS};

/// Questions that are asked before anything is made: prices, products, portals, endpoints.
const READS: usize = 4;
const WRITES: usize = 17;

fn cut() -> Value {
    json!({ "cut": true, "after_work": true })
}

#[tokio::test]
async fn nothing_is_made_twice_when_every_answer_is_lost_once() {
    let account = Account::empty().await;
    account.fail((0..READS + WRITES).flat_map(|_| [cut(), json!({})]).collect()).await;
    let report = account.set_up().await;
    assert!(report.webhook_secret.is_some());
    account.fail(Vec::new()).await;
    assert_eq!(account.objects().await, MUSIC_OBJECTS);
    assert!(account.plan().await.is_done());
}

#[tokio::test]
async fn a_setup_that_ends_after_any_step_is_completed_by_the_next() {
    for before in READS..READS + WRITES {
        let account = Account::empty().await;
        let mut faults = vec![json!({}); before];
        faults.extend(vec![cut(); 3]);
        account.fail(faults).await;
        let (_, outcome) = account.try_to_set_up().await;
        let error = outcome.expect_err("its answer was lost");
        assert!(matches!(error, SetupError::Step { .. }), "after {before}: {error}");
        assert!(error.to_string().contains("nothing is done twice"), "{error}");
        account.fail(Vec::new()).await;
        account.set_up().await;
        assert_eq!(account.objects().await, MUSIC_OBJECTS, "after {before}");
    }
}

#[tokio::test]
async fn another_amount_is_completed_from_wherever_it_was_cut() {
    // With the settings set: prices by their keys, products, the prices of each, portals, endpoints.
    let reads = READS + 6;
    for before in reads..reads + 3 {
        let mut account = Account::healthy().await;
        let old = account.settings["STRIPE_PRICE_BASIC"].clone();
        account.text = account.text.replace("amount = \"9.99\"", "amount = \"11.99\"");
        let mut faults = vec![json!({}); before];
        faults.extend(vec![cut(); 3]);
        account.fail(faults).await;
        let (_, outcome) = account.try_to_set_up().await;
        assert!(matches!(outcome, Err(SetupError::Step { .. })), "after {before}: {outcome:?}");
        account.fail(Vec::new()).await;
        account.set_up_and_set().await;
        assert_eq!(account.objects().await[1], MUSIC_OBJECTS[1] + 1, "after {before}");
        assert_eq!(account.price(&old).await["active"], false, "after {before}");
        let new = account.price(account.sale_id("STRIPE_PRICE_BASIC")).await;
        assert_eq!(
            (&new["unit_amount"], &new["lookup_key"]),
            (&1199.into(), &"music_plan_basic_month".into())
        );
    }
}

#[tokio::test]
async fn a_secret_is_told_although_what_comes_after_it_fails() {
    let account = Account::empty().await;
    let mut faults = vec![json!({}); READS + WRITES];
    faults.extend(vec![json!({ "status": 500 }); 3]);
    account.fail(faults).await;
    let (report, outcome) = account.try_to_set_up().await;
    assert!(matches!(outcome, Err(SetupError::Read(_))), "{outcome:?}");
    assert!(report.webhook_secret.is_some());
}

/// Stripe remembers for a day what it answered under a key.
#[tokio::test]
async fn what_was_deleted_is_made_again_on_the_same_day() {
    let account = Account::empty().await;
    let first = account.set_up().await;
    let path = format!("webhook_endpoints/{}", first.endpoint.unwrap());
    account.ask(Method::DELETE, &path, &[]).await;
    let second = account.set_up().await;
    assert!(second.webhook_secret.is_some() && second.webhook_secret != first.webhook_secret);
    let endpoints = account.list("webhook_endpoints").await;
    assert_eq!((endpoints.len(), endpoints[0]["id"].as_str()), (1, second.endpoint.as_deref()));
}
