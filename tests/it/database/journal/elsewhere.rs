//! What another instance has done is known here too, also to those who are refused.

use counterfoil::{
    domain::{
        command::{Command, CreditsCommand, Excess, HoldFor},
        event::{Event, HoldEvent},
        refusal::Refusal,
    },
    ledger::{ExecuteError, IdempotencyKey, Ledger},
};

use crate::support::ledger::{TestLedger, credits, deduct, grant, open, request, start};

async fn another(test: &TestLedger) -> Ledger {
    start(test.database.pool(), test.clock.clone()).await.0
}

fn is_insufficient(answer: &counterfoil::ledger::ExecuteResult) -> bool {
    matches!(answer, Err(ExecuteError::Refused(Refusal::InsufficientCredits { .. })))
}

#[tokio::test]
async fn what_another_instance_has_granted_can_be_spent_here() {
    let test = TestLedger::start().await;
    let other = another(&test).await;
    open(&test.ledger, "acme").await.expect("opened");
    test.ledger.execute(deduct("acme", 50, "all")).await.expect("deducted");
    assert!(is_insufficient(&test.ledger.execute(deduct("acme", 10, "k")).await));
    grant(&other, "acme", 10, "g").await.expect("granted");
    test.ledger.execute(deduct("acme", 10, "k")).await.expect("deducted");
    assert!(is_insufficient(&other.execute(deduct("acme", 1, "k2")).await));
}

#[tokio::test]
async fn an_account_that_another_instance_has_opened_is_open_here() {
    let test = TestLedger::start().await;
    let other = another(&test).await;
    let early = test.ledger.execute(deduct("acme", 1, "k")).await;
    assert_eq!(early, Err(ExecuteError::Refused(Refusal::AccountNotFound)));
    open(&other, "acme").await.expect("opened");
    test.ledger.execute(deduct("acme", 1, "k")).await.expect("deducted");
}

#[tokio::test]
async fn a_repeated_command_is_answered_where_a_new_one_would_be_refused() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let first = test.ledger.execute(deduct("acme", 50, "all")).await.expect("deducted");
    // It remembers nothing, like the same instance after a restart.
    let other = another(&test).await;
    let again = other.execute(deduct("acme", 50, "all")).await.expect("replayed");
    assert!(again.replayed);
    assert_eq!(again.events, first.events);
    assert_eq!(other.execute(deduct("acme", 60, "all")).await, Err(ExecuteError::KeyReused));
}

#[tokio::test]
async fn a_repeated_end_of_a_hold_is_answered_as_the_first() {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    let what = HoldFor::Amount { amount: credits(20), id: None, description: None };
    let hold = request(
        "acme",
        Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None }),
        IdempotencyKey::caller("hold"),
    );
    let held = test.ledger.execute(hold).await.expect("held");
    let Event::Hold(HoldEvent::CreditsHeld { hold_id, .. }) = &held.events.last().expect("an event").event
    else {
        panic!("{held:?}");
    };
    let commit = |key: &str| {
        let amount = Some(credits(12));
        let command = Command::Credits(CreditsCommand::CommitHold {
            hold_id: hold_id.clone(),
            amount,
            excess: Excess::Reject,
        });
        request("acme", command, IdempotencyKey::caller(key))
    };
    let first = test.ledger.execute(commit("c")).await.expect("committed");
    let other = another(&test).await;
    let again = other.execute(commit("c")).await.expect("replayed");
    assert_eq!(again.events, first.events);
    let second = other.execute(commit("c2")).await;
    assert!(matches!(second, Err(ExecuteError::Refused(Refusal::HoldAlreadyResolved { .. }))), "{second:?}");
}
