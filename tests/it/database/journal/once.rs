//! A command with a key takes effect once, whatever is sent how often.

use counterfoil::{
    domain::{amount::Credits, refusal::Refusal},
    ledger::ExecuteError,
};
use futures::future::join_all;

use crate::support::ledger::{TestLedger, account, deduct, grant, open};

#[tokio::test]
async fn an_account_opens_once_with_its_sign_up_credits() {
    let test = TestLedger::start().await;
    let first = open(&test.ledger, "acme").await.expect("opened");
    assert_eq!(first.events.len(), 2);
    assert_eq!(first.balance().expect("events").available.get(), 50);
    let again = open(&test.ledger, "acme").await.expect("open");
    assert_eq!(again.position, first.position);
}

#[tokio::test]
async fn the_same_key_and_request_is_answered_the_same() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let first = test.ledger.execute(deduct("acme", 5, "k")).await.expect("deducted");
    let again = test.ledger.execute(deduct("acme", 5, "k")).await.expect("replayed");
    assert!(!first.replayed && again.replayed);
    assert_eq!((&first.events, first.position), (&again.events, again.position));
    let other = test.ledger.execute(deduct("acme", 6, "k")).await;
    assert_eq!(other, Err(ExecuteError::KeyReused));
    let view = test.ledger.view(&account("acme")).await.expect("readable");
    assert_eq!(view.account.balance(test.clock.now()).available.get(), 45);
}

#[tokio::test]
async fn a_key_outlives_what_is_remembered() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let first = test.ledger.execute(deduct("acme", 5, "k")).await.expect("deducted");
    // Another instance remembers nothing, and learns it from the journal.
    let (other, _running) = crate::support::ledger::start(test.database.pool(), test.clock.clone()).await;
    let again = other.execute(deduct("acme", 5, "k")).await.expect("replayed");
    assert!(again.replayed);
    assert_eq!(first.events, again.events);
    assert_eq!(other.execute(deduct("acme", 6, "k")).await, Err(ExecuteError::KeyReused));
}

#[tokio::test]
async fn the_same_key_many_times_at_once_spends_once() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let answers = join_all((0..100).map(|_| test.ledger.execute(deduct("acme", 1, "k")))).await;
    let outcomes: Vec<_> = answers.into_iter().map(|answer| answer.expect("deducted")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.windows(2).all(|pair| pair[0].events == pair[1].events));
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let refused = test.ledger.execute(deduct("acme", 60, "k")).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::InsufficientCredits { .. }))));
    grant(&test.ledger, "acme", 10, "g").await.expect("granted");
    let outcome = test.ledger.execute(deduct("acme", 60, "k")).await.expect("deducted");
    assert_eq!(outcome.balance().expect("events").available, Credits::ZERO);
}

#[tokio::test]
async fn a_thousand_deductions_on_a_hundred_credits_are_a_hundred() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    grant(&test.ledger, "acme", 50, "g").await.expect("granted");
    let requests = (0..1_000).map(|number| test.ledger.execute(deduct("acme", 1, &format!("k{number}"))));
    let answers = join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
    let positions: i64 = sqlx::query_scalar("select count(*) from ledger.events")
        .fetch_one(&test.database.pool())
        .await
        .expect("counted");
    assert_eq!(positions, 103);
}
