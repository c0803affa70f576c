//! Do read models follow the shards of a growth?

use std::time::{Duration, Instant};

use counterfoil::{
    audit::{AuditScope, verify_read_models},
    clock::Clock,
    journal::{feed::Feed, grow::GrowError},
    projections,
    projector::{Projector, ProjectorError},
};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{grow, started, use_some, verify};
use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, music, noon},
    shards::{heads, shards, wait_for},
};

const PATIENCE: Duration = Duration::from_secs(60);

async fn opened(pool: &PgPool) -> Projector {
    let feed = Feed::new(pool.clone());
    Projector::open(pool.clone(), feed, projections::all(), Clock::fixed(noon())).await.expect("it opens")
}

#[tokio::test]
async fn read_models_follow_the_new_shards_and_can_be_built_again() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    use_some(&test.ledger, 'a', 5).await;
    let unaware = opened(&pool).await;
    grow(&pool, 2).await.expect("grown");
    // What was begun before would leave the new shards out.
    let refused = unaware.rebuild("usage", false, |_| {}).await.expect_err("the ledger was grown");
    assert!(refused.to_string().contains("grown"), "{refused}");

    let (ledger, _running) = started(&pool).await;
    use_some(&ledger, 'b', 15).await;
    let projector = opened(&pool).await;
    let stop = CancellationToken::new();
    projector.start(&TaskTracker::new(), &stop, ledger.positions());
    let end = heads(&pool).await;
    for name in projector.names().collect::<Vec<_>>() {
        assert!(wait_for(&projector, name, &end, PATIENCE).await.reached, "{name}");
        let rebuilt = projector.rebuild(name, false, |_| {}).await.expect("it can be rebuilt");
        assert!(rebuilt.is_same() && rebuilt.switched, "{name}");
    }
    // It has rows to compare with that it knows no events of.
    let refused = unaware.compare("usage", |_| {}).await.expect_err("the ledger was grown");
    assert!(matches!(refused, ProjectorError::Grown), "{refused}");
    let mut verified = verify(&pool, &AuditScope::WHOLE).await;
    verify_read_models(&projector, &mut verified, |_, _, _| {}).await.expect("compared");
    assert!(verified.is_clean() && !verified.read_models.is_empty(), "{:?}", verified.findings);
    stop.cancel();
}

/// Readers would else see a version without the new shards, and nobody would notice.
#[tokio::test]
async fn a_growth_waits_for_who_shows_a_read_model_and_gives_up_soon() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    use_some(&test.ledger, 'a', 3).await;
    opened(&pool).await;
    let mut showing = pool.begin().await.expect("it answers");
    let show = "select from read.projections where projection = 'usage' for update";
    sqlx::query(show).execute(&mut *showing).await.expect("locked");
    let begun = Instant::now();
    let refused = grow(&pool, 4).await.expect_err("somebody shows a version");
    assert!(matches!(refused, GrowError::Held(_)), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(4), "commands wait meanwhile");
    assert_eq!(shards(&pool).await.iter().len(), 1);
    showing.rollback().await.expect("it is over");
    grow(&pool, 4).await.expect("grown");
}
