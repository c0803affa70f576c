//! Is a read model rebuilt by one process at a time, though they hear nothing of each other, and one of them may have
//! been taken for dead?

use std::sync::atomic::{AtomicU32, Ordering};

use counterfoil::{
    clock::Clock,
    consumer::SharedNames,
    journal::feed::Feed,
    projections,
    projector::{ProjectionState, Projector, ProjectorError},
};
use sqlx::PgPool;
use tokio::{runtime::Handle, task::block_in_place};

use super::{Following, catch_up};
use crate::support::{database::TestDatabase, ledger::noon};

async fn filled() -> (TestDatabase, Following) {
    let database = TestDatabase::of_shards(2).await;
    catch_up::fill(&database.pool(), 500, 10).await.expect("the journal takes it");
    let following = Following::start(database.pool(), projections::all()).await;
    following.caught_up(&database.pool()).await;
    (database, following)
}

/// Another process, which is not told of anything.
async fn elsewhere(pool: &PgPool) -> Projector {
    let names = SharedNames { channel: "of_another_node".to_owned(), ..SharedNames::default() };
    let feed = Feed::new(pool.clone());
    let opened = Projector::open_as(pool.clone(), feed, projections::all(), Clock::fixed(noon()), names);
    opened.await.expect("it opens")
}

/// What happens while a rebuild reports how far it is.
fn meanwhile<T>(what: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(what))
}

fn is_under_way<T>(answer: &Result<T, ProjectorError>) -> bool {
    matches!(answer, Err(ProjectorError::RebuildUnderWay { .. }))
}

async fn change(pool: &PgPool, what: &str) {
    let changed = sqlx::query(what).execute(pool).await.expect("it is changed");
    assert_eq!(changed.rows_affected(), 1, "{what}");
}

async fn is_there(pool: &PgPool, table: &str) -> bool {
    let found = sqlx::query_scalar("select to_regclass($1) is not null").bind(table);
    found.fetch_one(pool).await.expect("an answer")
}

/// Has another process take the turn, for good.
async fn take_over(pool: &PgPool) {
    let taken = "update read.leases set holder = gen_random_uuid(), until = now() + interval '1 hour' \
                 where name = 'counterfoil/usage/rebuild'";
    change(pool, taken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_hear_nothing_of_each_other_rebuild_one_after_the_other() {
    let (database, one) = filled().await;
    let pool = database.pool();
    let other = elsewhere(&pool).await;
    let tried = AtomicU32::new(0);
    let rebuilt = one.projector.rebuild("usage", false, |_| {
        let (rebuilt, compared) = meanwhile(async {
            (other.rebuild("usage", false, |_| {}).await, other.compare("usage", |_| {}).await)
        });
        assert!(is_under_way(&rebuilt) && is_under_way(&compared), "{rebuilt:?} {compared:?}");
        tried.fetch_add(1, Ordering::Relaxed);
    });
    assert!(rebuilt.await.expect("it is built").switched);
    assert!(tried.into_inner() > 0);
    let next = other.rebuild("usage", false, |_| {}).await.expect("it is its turn");
    assert_eq!((next.from_version, next.to_version, next.switched), (2, 3, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_taken_for_dead_shows_nothing_and_drops_nothing() {
    let (database, following) = filled().await;
    let pool = database.pool();
    let projector = &following.projector;
    let rebuilt = projector.rebuild("usage", true, |_| meanwhile(take_over(&pool)));
    assert!(is_under_way(&rebuilt.await));
    let mut listed = projector.list().await.expect("an answer");
    listed.retain(|listing| listing.projection == "usage");
    assert!(listed.iter().any(|listing| listing.version == 1 && listing.state == ProjectionState::Live));
    assert!(!listed.iter().any(|listing| listing.version == 2 && listing.state == ProjectionState::Live));
    assert!(is_there(&pool, "read.usage_v2").await);
    assert!(is_under_way(&projector.rebuild("usage", true, |_| {}).await), "the other one has it still");

    change(&pool, "delete from read.leases where name = 'counterfoil/usage/rebuild'").await;
    let compared = projector.compare("usage", |_| meanwhile(take_over(&pool)));
    assert!(is_under_way(&compared.await));
    assert!(is_there(&pool, "read.usage_v2").await, "it is the other one's now");

    let ended = "update read.leases set until = now() where name = 'counterfoil/usage/rebuild'";
    change(&pool, ended).await;
    let rebuilt = projector.rebuild("usage", false, |_| {}).await.expect("the other one is gone");
    assert!(rebuilt.switched && rebuilt.is_same());
}
