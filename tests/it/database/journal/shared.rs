//! Do the shards of one database share their commits, and does one that is held up hold up no other?

use std::time::{Duration, Instant};

use counterfoil::{
    audit::{AuditScope, verify_journal},
    ledger::{Ledger, Repeated},
};
use futures::future::join_all;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, deduct, grant, music, noon, open, start},
};

const ACCOUNTS: usize = 40;

fn ids() -> Vec<String> {
    (0..ACCOUNTS).map(|number| format!("a{number}")).collect()
}

async fn eight_shards() -> TestLedger {
    let test = TestLedger::on(TestDatabase::of_shards(8).await, music()).await;
    join_all(ids().iter().map(async |id| {
        open(&test.ledger, id).await.expect("opened");
        grant(&test.ledger, id, 1_000, "g").await.expect("granted");
    }))
    .await;
    test
}

/// One deduction of each account, all at once, and how long the longest took.
async fn deduct_from(ledger: &Ledger, ids: &[String], key: &str) -> Duration {
    let begun = Instant::now();
    join_all(ids.iter().map(async |id| {
        let done = ledger.execute(deduct(id, 1, key)).await.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(!done.replayed, "{id} {key}");
    }))
    .await;
    begun.elapsed()
}

async fn assert_spent(ledger: &Ledger, pool: &PgPool, each: i64) {
    for id in ids() {
        let view = ledger.view(&account(&id)).await.expect("it is read");
        assert_eq!(view.account.balance(noon()).available.get(), 50 + 1_000 - each, "{id}");
    }
    let verified = verify_journal(pool, &AuditScope::WHOLE, |_, _| {}).await.expect("it answers");
    assert_eq!(verified.findings, Vec::new());
}

/// Blocks of how many shards were written by one transaction, at most.
async fn shards_in_one_commit(pool: &PgPool) -> i64 {
    let most = "select max(shards) from (
        select count(distinct shard) as shards from ledger.blocks group by xmin::text) as commits";
    sqlx::query_scalar(most).fetch_one(pool).await.expect("there are blocks")
}

#[tokio::test]
async fn batches_of_several_shards_are_stored_by_one_commit() {
    let test = eight_shards().await;
    for round in 0..20 {
        deduct_from(&test.ledger, &ids(), &format!("k{round}")).await;
    }
    let pool = test.database.pool();
    let most = shards_in_one_commit(&pool).await;
    assert!(most > 2, "at most {most} shards in one commit");
    assert_spent(&test.ledger, &pool, 20).await;
}

#[tokio::test]
async fn one_shard_commits_by_itself() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    let commits = "select count(*) from pg_stat_activity
        where datname = current_database() and query like '-- Appends a block to each of several shards%'";
    let shared: i64 = sqlx::query_scalar(commits).fetch_one(&test.database.pool()).await.expect("it answers");
    assert_eq!(shared, 0);
}

#[tokio::test]
async fn a_head_that_is_locked_holds_up_its_own_shard_only() {
    let test = eight_shards().await;
    let ledger = &test.ledger;
    let stuck = ledger.shard_of(&account("a0"));
    let (held_up, free): (Vec<_>, Vec<_>) =
        ids().into_iter().partition(|id| ledger.shard_of(&account(id)) == stuck);
    let mut before = test.database.pool().begin().await.expect("it answers");
    let lock = "select from ledger.heads where shard = $1 for update";
    sqlx::query(lock).bind(stuck.0).execute(&mut *before).await.expect("locked");

    let waits = deduct_from(ledger, &held_up, "one");
    let others = async {
        // The first of them shared a statement with the one that is held up.
        let first = deduct_from(ledger, &free, "one").await;
        assert!(first < Duration::from_millis(1_500), "{first:?}");
        let second = deduct_from(ledger, &free, "two").await;
        assert!(second < Duration::from_millis(200), "{second:?}");
        before.rollback().await.expect("unlocked");
    };
    tokio::join!(waits, others);
    deduct_from(ledger, &held_up, "two").await;
    assert_spent(ledger, &test.database.pool(), 2).await;
}

/// What an instance has decided on is gone in one shard, and holds in the others.
#[tokio::test]
async fn what_somebody_else_wrote_in_one_shard_is_seen_there_and_the_others_are_stored_once() {
    let test = eight_shards().await;
    let (other, _running) = start(test.database.pool(), test.clock.clone()).await;
    for round in 0..10 {
        let key = format!("k{round}");
        // All of the account's credits but for what the rounds take.
        other.execute(deduct("a7", 10, &key)).await.expect("there is enough");
        other.execute(deduct("a3", 1, &format!("same{round}"))).await.expect("there is enough");
        let ids: Vec<String> = ids().into_iter().filter(|id| id != "a7").collect();
        deduct_from(&test.ledger, &ids, &key).await;
        let again = test.ledger.execute(deduct("a3", 1, &format!("same{round}"))).await.expect("as before");
        assert!(again.replayed, "the other instance has stored it");
    }
    let pool = test.database.pool();
    let verified = verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.expect("it answers");
    assert_eq!(verified.findings, Vec::new());
    for (id, left) in [("a7", 950), ("a3", 1_030), ("a1", 1_040)] {
        let view = test.ledger.view(&account(id)).await.expect("it is read");
        assert_eq!(view.account.balance(noon()).available.get(), left, "{id}");
    }
}

/// The connection breaks while commands are stored: it is not known which are, and each is done once.
#[tokio::test]
async fn a_connection_that_breaks_under_several_shards_loses_and_doubles_nothing() {
    let test = eight_shards().await;
    let pool = test.database.pool();
    let done = CancellationToken::new();
    let break_connections = async {
        let mut all = 0;
        while !done.is_cancelled() && all < 20 {
            tokio::time::sleep(Duration::from_millis(15)).await;
            let sessions = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and query like '-- Appends a block to each of several shards%'";
            let broken: i64 = sqlx::query_scalar(sessions).fetch_one(&pool).await.expect("it answers");
            all += broken;
        }
        all
    };
    let commands = async {
        for round in 0..60 {
            deduct_from(&test.ledger, &ids(), &format!("k{round}")).await;
        }
        done.cancel();
    };
    let (broken, ()) = tokio::join!(break_connections, commands);
    assert!(broken > 5, "{broken} connections");
    assert_spent(&test.ledger, &pool, 60).await;
    let repeated = test.ledger.find_repeated(&deduct("a0", 1, "k0")).await.expect("it answers");
    assert!(matches!(repeated, Some(Repeated::Same)), "{repeated:?}");
}
