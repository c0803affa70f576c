//! A rebuild gives the rows that are live, beside a ledger that goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use counterfoil::{
    domain::recorded::Shard,
    projections,
    projector::{ProjectionState, ProjectorError},
};

use crate::support::{
    ledger::{TestLedger, deduct, grant, open as open_account},
    shards,
};

use super::{Following, catch_up, movements};

#[tokio::test]
async fn a_rebuild_beside_writes_finds_the_same_and_readers_never_fail() {
    let ledger = TestLedger::start().await;
    let pool = ledger.database.pool();
    let following = Following::start(pool.clone(), movements::and_all()).await;
    for id in ["a", "b"] {
        open_account(&ledger.ledger, id).await.expect("opened");
        grant(&ledger.ledger, id, 1_000_000, "start").await.expect("granted");
    }
    let busy = Arc::new(AtomicBool::new(true));
    let (writing, writer) = (Arc::clone(&busy), ledger.ledger.clone());
    let writes = tokio::spawn(async move {
        let mut number = 0_u32;
        while writing.load(Ordering::Relaxed) {
            let id = if number.is_multiple_of(2) { "a" } else { "b" };
            writer.execute(deduct(id, 1, &format!("k{number}"))).await.expect("deducted");
            number += 1;
        }
        number
    });
    let (reading, readers_pool) = (Arc::clone(&busy), pool.clone());
    let reads = tokio::spawn(async move {
        let mut most = 0_i64;
        while reading.load(Ordering::Relaxed) {
            let lines: i64 = sqlx::query_scalar("select count(*) from read.movements")
                .fetch_one(&readers_pool)
                .await
                .expect("a reader never fails");
            assert!(lines >= most, "a reader never goes back");
            most = lines;
        }
    });
    following.caught_up(&pool).await;
    following.assert_rebuild_finds_the_same().await;
    busy.store(false, Ordering::Relaxed);
    let written = writes.await.expect("all were written");
    reads.await.expect("all were read");
    following.caught_up(&pool).await;
    let used: i64 = sqlx::query_scalar("select sum(count)::bigint from read.usage")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    assert_eq!(used, i64::from(written));
}

#[tokio::test]
async fn old_tables_stay_until_they_are_dropped() {
    let database = crate::support::database::TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 25_000, 100).await.expect("the journal takes it");
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    let goal = shards::heads(&pool).await.of(Shard(0)).expect("the only one");
    let steps = std::sync::Mutex::new(Vec::new());
    let rebuilt = following
        .projector
        .rebuild("usage", false, |step| {
            assert_eq!(step.goal, goal);
            steps.lock().expect("nobody panicked").push(step.position);
        })
        .await
        .expect("it can be rebuilt");
    assert!(rebuilt.switched && rebuilt.is_same());
    assert!(steps.lock().expect("nobody panicked").len() > 1, "progress is shown");
    let mut states = following.projector.list().await.expect("an answer");
    states.retain(|listing| listing.projection == "usage");
    let states: Vec<_> = states.into_iter().map(|listing| (listing.version, listing.state)).collect();
    assert_eq!(states, [(1, ProjectionState::Old), (2, ProjectionState::Live)]);
    assert_eq!(following.projector.drop_old("usage").await.expect("an answer"), [1]);
    let gone: Option<String> = sqlx::query_scalar("select to_regclass('read.usage_v1')::text")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    assert_eq!(gone, None);
}

#[tokio::test]
async fn a_rebuild_that_differs_is_not_shown_unless_that_was_asked_for() {
    let database = crate::support::database::TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 10).await.expect("the journal takes it");
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    sqlx::query("update read.usage_v1 set credits = credits + 1 where account_id = 'account-000001'")
        .execute(&pool)
        .await
        .expect("a bug of an earlier release");
    let rebuilt = following.projector.rebuild("usage", false, |_| {}).await.expect("an answer");
    assert!(!rebuilt.switched && !rebuilt.is_same());
    let accepted = following.projector.rebuild("usage", true, |_| {}).await.expect("an answer");
    assert!(accepted.switched && !accepted.is_same());
    assert_eq!(accepted.to_version, rebuilt.to_version, "what was left unfinished made room");
    following.assert_rebuild_finds_the_same().await;
}

/// Which no program writes, but somebody with every privilege may.
#[tokio::test]
async fn a_rebuild_up_to_a_position_that_is_not_there_ends_with_a_reason() {
    let database = crate::support::database::TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 10).await.expect("the journal takes it");
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    sqlx::query("update read.checkpoints set position = position + 100000 where projection = 'usage'")
        .execute(&pool)
        .await
        .expect("allowed");
    let rebuilt = following.projector.rebuild("usage", false, |_| {}).await;
    assert!(matches!(rebuilt, Err(ProjectorError::PositionMissing { position: 100_500 })), "{rebuilt:?}");
}
