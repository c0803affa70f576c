//! Can a ledger get more shards while its accounts stay where they are, and is every account opened once?

mod filter;
mod followed;
mod found;
mod stale;

use std::collections::BTreeMap;

use counterfoil::{
    audit::{AuditScope, Verification, VerifiedHead, verify_journal},
    clock::Clock,
    domain::recorded::Shard,
    journal::grow::{self, GrowError, Growth},
    ledger::{Ledger, Running},
};
use futures::future::join_all;
use sqlx::PgPool;

use crate::{
    database::roles::service_pool,
    support::{
        database::TestDatabase,
        ledger::{TestLedger, account, deduct, music, noon, open, start},
        shards::{heads, shards},
    },
};

async fn grow(pool: &PgPool, slots: u16) -> Result<Growth, GrowError> {
    grow::grow(pool, slots, noon(), |_| {}).await
}

/// A program that starts now.
async fn started(pool: &PgPool) -> (Ledger, Running) {
    start(pool.clone(), Clock::fixed(noon())).await
}

async fn verify(pool: &PgPool, scope: &AuditScope) -> Verification {
    verify_journal(pool, scope, |_, _| {}).await.expect("the database answers")
}

async fn assert_clean(pool: &PgPool) -> Verification {
    let verified = verify(pool, &AuditScope::WHOLE).await;
    assert!(verified.is_clean(), "{:?}", verified.findings);
    verified
}

/// Opens accounts with this letter, and deducts from each.
async fn use_some(ledger: &Ledger, letter: char, count: usize) -> BTreeMap<String, Shard> {
    let opened = (0..count).map(async |number| {
        let id = format!("{letter}{number}");
        open(ledger, &id).await.expect("opened");
        ledger.execute(deduct(&id, 7, "one")).await.expect("deducted");
        let shard = ledger.shard_of(&account(&id));
        (id, shard)
    });
    join_all(opened).await.into_iter().collect()
}

async fn assert_goes_on(ledger: &Ledger, accounts: &BTreeMap<String, Shard>, key: &str, left: i64) {
    for (id, shard) in accounts {
        assert_eq!(ledger.shard_of(&account(id)), *shard, "{id} stays");
        let again = ledger.execute(deduct(id, 7, "one")).await.expect("the same answer");
        assert!(again.replayed, "{id}");
        ledger.execute(deduct(id, 1, key)).await.expect("deducted");
        let view = ledger.view(&account(id)).await.expect("readable");
        assert_eq!(
            (view.account.balance(noon()).available.get(), view.position.shard),
            (left, *shard),
            "{id}"
        );
    }
}

#[tokio::test]
async fn accounts_stay_where_they_are_and_new_ones_are_in_the_new_shards() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    let old = use_some(&test.ledger, 'a', 20).await;
    let before = assert_clean(&pool).await;
    let head: VerifiedHead = format!("{}:{}", before.position, before.head).parse().expect("as it is shown");

    let growth = grow(&service_pool(&test.database).await, 4).await.expect("grown");
    assert_eq!((growth.sharding, growth.accounts), (1, 20));
    // The least of those that a distributed Postgres puts to other nodes; 0 is taken.
    assert_eq!(growth.shards.len(), 4);
    assert!(!growth.shards.contains(&Shard(0)), "{growth:?}");
    assert_clean(&pool).await;

    let (ledger, _running) = started(&pool).await;
    assert_goes_on(&ledger, &old, "two", 42).await;
    let new = use_some(&ledger, 'b', 60).await;
    // A few are taken for old ones.
    assert!(new.values().filter(|shard| **shard == Shard(0)).count() < 5, "{new:?}");
    for shard in &growth.shards {
        assert!(new.values().any(|of| of == shard), "{shard:?} has accounts");
    }
    let after = assert_clean(&pool).await;
    assert_eq!((after.accounts, after.shards.len()), (80, 5));

    // Of the old shard only what is new, and all of the others.
    let scope = AuditScope { since: vec![head], ..AuditScope::WHOLE };
    let since = verify(&pool, &scope).await;
    assert!(since.is_clean(), "{:?}", since.findings);
    assert_eq!(since.events, after.events - before.events);
    assert_eq!(since.head, after.head);
}

#[tokio::test]
async fn a_ledger_is_grown_again_and_again() {
    let test = TestLedger::on(TestDatabase::of_shards(2).await, music()).await;
    let pool = test.database.pool();
    let first = use_some(&test.ledger, 'a', 10).await;
    grow(&pool, 4).await.expect("grown");
    let (ledger, _running) = started(&pool).await;
    let second = use_some(&ledger, 'b', 10).await;
    let growth = grow(&pool, 8).await.expect("grown again");
    assert_eq!((growth.sharding, growth.accounts, growth.shards.len()), (2, 20, 8));
    let (ledger, _running) = started(&pool).await;
    assert_goes_on(&ledger, &first, "two", 42).await;
    assert_goes_on(&ledger, &second, "two", 42).await;
    let third = use_some(&ledger, 'c', 40).await;
    assert!(third.values().filter(|shard| growth.shards.contains(shard)).count() > 35, "{third:?}");
    assert_eq!(assert_clean(&pool).await.accounts, 60);
    let known = shards(&pool).await;
    assert_eq!((known.iter().len(), known.shardings(), known.newest_slots()), (14, 3, 8));
    let mut numbers: Vec<Shard> = known.iter().collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 14, "each has a number of its own");
}

#[tokio::test]
async fn what_is_opened_while_a_ledger_is_grown_is_found_afterwards() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    let grown = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        grow(&pool, 2).await.expect("grown")
    };
    let opened = async {
        let mut acknowledged = Vec::new();
        for round in 0.. {
            let ids: Vec<String> = (0..20).map(|number| format!("r{round}-{number}")).collect();
            let answers = join_all(ids.iter().map(|id| open(&test.ledger, id))).await;
            let done = ids.into_iter().zip(answers).filter(|(_, answer)| answer.is_ok());
            let before = acknowledged.len();
            acknowledged.extend(done.map(|(id, _)| id));
            if acknowledged.len() == before {
                break;
            }
        }
        acknowledged
    };
    let (growth, acknowledged) = tokio::join!(grown, opened);
    assert_eq!(growth.accounts, u64::try_from(acknowledged.len()).expect("few"), "none came later");
    let (ledger, _running) = started(&pool).await;
    for id in &acknowledged {
        assert_eq!(ledger.view(&account(id)).await.expect("readable").sequence, 2, "{id}");
    }
    assert_eq!(assert_clean(&pool).await.accounts, growth.accounts);
}

#[tokio::test]
async fn a_growth_that_makes_no_sense_is_refused_and_changes_nothing() {
    let database = TestDatabase::of_shards(4).await;
    let pool = database.pool();
    for wrong in [0, 1, 3, 6, 2_048] {
        assert!(matches!(grow(&pool, wrong).await, Err(GrowError::NotAPower(_))), "{wrong}");
    }
    for fewer in [2, 4] {
        assert!(matches!(grow(&pool, fewer).await, Err(GrowError::NotMore { now: 4, .. })), "{fewer}");
    }
    assert!(matches!(grow(&pool, 1_024).await, Err(GrowError::TooMany { now: 4, .. })));
    assert_eq!(heads(&pool).await.iter().count(), 4);
    assert_eq!(grow(&pool, 512).await.expect("grown").shards.len(), 512);
    assert_clean(&pool).await;
}
