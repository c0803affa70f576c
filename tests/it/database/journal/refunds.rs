//! Is what others refund at the same moment known, also if it is more than an account remembers?

use std::time::Duration;

use counterfoil::{
    domain::{
        command::{Command, CreditsCommand, Spent},
        event::{CreditsEvent, Event},
        ids::DeductionId,
        refusal::Refusal,
    },
    ledger::{ExecuteError, ExecuteResult, IdempotencyKey, Ledger, Outcome},
};
use futures::future::join_all;

use crate::support::ledger::{TestLedger, account, credits, deduct, grant, open, request, start};

const REFUNDS: usize = 600;

fn deduction_of(done: &Outcome) -> DeductionId {
    let found = done.events.iter().find_map(|recorded| match &recorded.event {
        Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, .. }) => Some(deduction_id.clone()),
        _ => None,
    });
    found.expect("it was a deduction")
}

/// Refunds one credit of a deduction.
async fn refund_one(ledger: &Ledger, id: &DeductionId, key: &str) -> ExecuteResult {
    let deduction = ledger.find_deduction(&account("acme"), id).await.expect("it is read");
    let command = Command::Credits(CreditsCommand::RefundDeductions {
        of: Spent::Deduction(id.clone()),
        deductions: vec![deduction.expect("it is there")],
        amount: Some(credits(1)),
        reason: "failed".to_owned(),
    });
    ledger.execute(request("acme", command, IdempotencyKey::caller(key))).await
}

async fn started() -> TestLedger {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    grant(&test.ledger, "acme", 5_000, "g").await.expect("granted");
    test
}

#[tokio::test(flavor = "multi_thread")]
async fn more_refunds_than_an_account_remembers_are_made_while_nothing_can_be_stored() {
    let test = started().await;
    let ledger = &test.ledger;
    let spent = join_all((0..REFUNDS).map(async |number| {
        let done = ledger.execute(deduct("acme", 1, &format!("spend {number}"))).await;
        deduction_of(&done.expect("deducted"))
    }))
    .await;
    let mut before = test.database.pool().begin().await.expect("it answers");
    sqlx::query("select from ledger.heads for update").execute(&mut *before).await.expect("locked");
    let refunds =
        join_all(spent.iter().map(async |id| refund_one(ledger, id, &format!("refund {id}")).await));
    let release = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        before.rollback().await.expect("unlocked");
    };
    let (refunded, ()) = tokio::join!(refunds, release);
    for answer in refunded {
        answer.expect("refunded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_refund_no_more_than_was_spent() {
    let test = started().await;
    let (other, _running) = start(test.database.pool(), test.clock.clone()).await;
    let id = deduction_of(&test.ledger.execute(deduct("acme", 50, "spend")).await.expect("deducted"));
    let answers = join_all((0..40).flat_map(|number| {
        [(&test.ledger, "one", number), (&other, "other", number)].map(|(ledger, name, number)| {
            let id = &id;
            async move { refund_one(ledger, id, &format!("{name} {number}")).await }
        })
    }))
    .await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let over = answers.iter().filter(|answer| {
        matches!(answer, Err(ExecuteError::Refused(Refusal::RefundExceedsDeduction { .. })))
    });
    assert_eq!((done, over.count()), (50, 30), "{answers:?}");
    let view = test.ledger.view(&account("acme")).await.expect("it is read");
    assert_eq!(view.account.balance(test.clock.now()).available, credits(5_050));
}
