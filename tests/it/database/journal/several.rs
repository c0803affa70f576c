//! Several instances write to one journal, and nobody overdraws.

use std::collections::BTreeMap;

use counterfoil::{
    domain::{
        amount::Credits,
        command::{AccountCommand, Command, CreditsCommand, Generation},
        ids::{GenerationId, GenerationType},
    },
    ledger::{IdempotencyKey, Ledger},
};
use futures::future::join_all;

use crate::support::ledger::{TestLedger, account, deduct, grant, open, request, start};

async fn two(test: &TestLedger) -> [Ledger; 2] {
    let (other, _running) = start(test.database.pool(), test.clock.clone()).await;
    [test.ledger.clone(), other]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_never_overdraw_an_account() {
    let test = TestLedger::start().await;
    let instances = two(&test).await;
    open(&test.ledger, "acme").await.expect("opened");
    grant(&test.ledger, "acme", 50, "g").await.expect("granted");
    let requests = (0..1_000_usize)
        .map(|number| instances[number % 2].execute(deduct("acme", 1, &format!("k{number}"))));
    let answers = join_all(requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
    for instance in &instances {
        let view = instance.view(&account("acme")).await.expect("readable");
        assert_eq!(view.account.balance(test.clock.now()).available, Credits::ZERO);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_generation_is_charged_once_by_whichever_instance() {
    let test = TestLedger::start().await;
    let instances = two(&test).await;
    let charge = |round: usize, number: usize| {
        let generation = Generation {
            kind: GenerationType::parse("standard_generation").expect("a type"),
            options: BTreeMap::new(),
            id: Some(GenerationId::parse("gen_1").expect("an id")),
        };
        request(
            &format!("account-{round}"),
            Command::Credits(CreditsCommand::Generate(generation)),
            IdempotencyKey::caller(&format!("k{number}")),
        )
    };
    for round in 0..20 {
        open(&test.ledger, &format!("account-{round}")).await.expect("opened");
        let requests = (0..20).map(|number| instances[number % 2].execute(charge(round, number)));
        let outcomes = join_all(requests).await.into_iter().map(|answer| answer.expect("charged"));
        let outcomes: Vec<_> = outcomes.collect();
        assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1, "round {round}");
        assert!(outcomes.windows(2).all(|pair| pair[0].events == pair[1].events));
    }
}

/// The case that a version number alone does not see: an instance decides event 6 on its own event 5, the
/// batch with event 5 fails because another instance wrote an event 5, and event 6 would still fit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_decided_on_a_failed_batch_is_decided_again() {
    let test = TestLedger::start().await;
    let instances = two(&test).await;
    for round in 0..20 {
        let id = format!("account-{round}");
        open(&test.ledger, &id).await.expect("opened");
        // Both know the account, so both decide on memory.
        for instance in &instances {
            let warm = request(&id, Command::Account(AccountCommand::ApplyDue), IdempotencyKey::none());
            instance.execute(warm).await.expect("nothing is due");
        }
        let requests = (0..200_usize)
            .map(|number| instances[number / 100].execute(deduct(&id, 1, &format!("k{number}"))));
        let accepted = join_all(requests).await.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(accepted, 50, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn positions_have_no_gaps_and_follow_each_account() {
    let test = TestLedger::start().await;
    let instances = two(&test).await;
    for number in 0..10 {
        open(&test.ledger, &format!("account-{number}")).await.expect("opened");
    }
    let requests = (0..500_usize).map(|number| {
        let request = deduct(&format!("account-{}", number % 10), 1, &format!("k{number}"));
        instances[number % 3 % 2].execute(request)
    });
    join_all(requests).await.into_iter().for_each(|answer| {
        answer.expect("deducted");
    });
    let gaps: i64 = sqlx::query_scalar(
        "select count(*) from (select position - lag(position, 1, 0::bigint) over (partition by shard order by position) as step, \
         sequence - lag(sequence, 1, 0::bigint) over (partition by shard, aggregate_id order by position) as next \
         from ledger.events) as steps where step <> 1 or next <> 1",
    )
    .fetch_one(&test.database.pool())
    .await
    .expect("counted");
    assert_eq!(gaps, 0);
}
