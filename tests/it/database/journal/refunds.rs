//! Is what others refund at the same moment known, also if it is more than an account remembers?

use std::time::Duration;

use counterfoil::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, REFUND_DEDUCTIONS_MAX, RecordedDeduction, Spent},
        event::{CreditsEvent, Event},
        ids::{DeductionId, GenerationId},
        refusal::Refusal,
    },
    ledger::{ExecuteError, ExecuteResult, IdempotencyKey, Ledger, Outcome},
};
use futures::future::join_all;
use sqlx::Row;

use crate::support::ledger::{TestLedger, account, credits, deduct, grant, open, request, start};

const GENERATIONS: usize = 16;

fn deduction_of(done: &Outcome) -> DeductionId {
    let found = done.events.iter().find_map(|recorded| match &recorded.event {
        Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, .. }) => Some(deduction_id.clone()),
        _ => None,
    });
    found.expect("it was a deduction")
}

async fn refund(
    ledger: &Ledger,
    of: Spent,
    deductions: Vec<RecordedDeduction>,
    amount: Option<Credits>,
    key: &str,
) -> ExecuteResult {
    let reason = "failed".to_owned();
    let command = Command::Credits(CreditsCommand::RefundDeductions { of, deductions, amount, reason });
    ledger.execute(request("acme", command, IdempotencyKey::caller(key))).await
}

/// Refunds one credit of a deduction.
async fn refund_one(ledger: &Ledger, id: &DeductionId, key: &str) -> ExecuteResult {
    let deduction = ledger.find_deduction(&account("acme"), id).await.expect("it is read");
    let deductions = vec![deduction.expect("it is there")];
    refund(ledger, Spent::Deduction(id.clone()), deductions, Some(credits(1)), key).await
}

async fn started() -> TestLedger {
    let test = TestLedger::start().await;
    open(&test.ledger, "acme").await.expect("opened");
    grant(&test.ledger, "acme", 5_000, "g").await.expect("granted");
    test
}

/// Eleven of them are more than an account remembers.
#[tokio::test(flavor = "multi_thread")]
async fn more_refunds_than_an_account_remembers_are_made_while_nothing_can_be_stored() {
    let test = started().await;
    let ledger = &test.ledger;
    let generations: Vec<GenerationId> = (0..GENERATIONS)
        .map(|number| GenerationId::parse(&format!("gen_{number}")).expect("an id"))
        .collect();
    let spent = generations.iter().flat_map(|id| (0..REFUND_DEDUCTIONS_MAX).map(move |part| (id, part)));
    join_all(spent.map(async |(id, part)| {
        let (amount, id, key) = (credits(1), id.clone(), format!("spend {id} {part}"));
        let command = CreditsCommand::DeductCredits { amount, id: Some(id), description: None };
        let spend = request("acme", Command::Credits(command), IdempotencyKey::caller(&key));
        ledger.execute(spend).await.expect("deducted");
    }))
    .await;
    let mut before = test.database.pool().begin().await.expect("it answers");
    sqlx::query("select from ledger.heads for update").execute(&mut *before).await.expect("locked");
    let refunds = join_all(generations.iter().map(async |id| {
        let found = ledger.find_spent_on(&account("acme"), id, REFUND_DEDUCTIONS_MAX + 1).await;
        let (of, deductions) = (Spent::Generation(id.clone()), found.expect("they are read"));
        refund(ledger, of, deductions, None, id.as_str()).await
    }));
    let release = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        before.rollback().await.expect("unlocked");
    };
    let (refunded, ()) = tokio::join!(refunds, release);
    for answer in refunded {
        assert_eq!(answer.expect("refunded").events.len(), REFUND_DEDUCTIONS_MAX);
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

/// Also in a table without statistics, and by a plan for any account.
#[tokio::test]
async fn refunds_are_found_by_their_own_index() {
    let test = started().await;
    let mut connection = test.database.pool().acquire().await.expect("a connection");
    let query = include_str!("../../../../src/journal/refunds_of.sql");
    let prepare = format!("prepare refunds (smallint, text, text[]) as {query}");
    for statement in ["set plan_cache_mode = force_generic_plan", &prepare] {
        sqlx::raw_sql(statement).execute(&mut *connection).await.expect("prepared");
    }
    let plan = async |connection: &mut sqlx::PgConnection| {
        let explain = "explain execute refunds (0::smallint, 'acme', array['ded_1'])";
        let rows = sqlx::raw_sql(explain).fetch_all(connection).await.expect("explained");
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    };
    let empty = plan(&mut connection).await;
    assert!(empty.contains("using events_refunds on"), "{empty}");
    for number in 0..300 {
        let id = deduction_of(
            &test.ledger.execute(deduct("acme", 1, &format!("k{number}"))).await.expect("deducted"),
        );
        refund_one(&test.ledger, &id, &format!("r{number}")).await.expect("refunded");
    }
    sqlx::raw_sql("discard plans").execute(&mut *connection).await.expect("discarded");
    let full = plan(&mut connection).await;
    assert!(full.contains("using events_refunds on"), "{full}");
}
