//! A caller gets an answer as new as it asks for, or is told how old it is.

use std::time::Duration;

use counterfoil::projections;

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, grant, noon, open as open_account},
    shards,
};

use super::movements::{self, amounts};
use super::{Following, PATIENCE, append, open, opened};

#[tokio::test]
async fn a_read_waits_for_the_position_of_a_command() {
    let ledger = TestLedger::start().await;
    let pool = ledger.database.pool();
    let following = Following::start(pool.clone(), movements::and_all()).await;
    open_account(&ledger.ledger, "acme").await.expect("opened");
    for number in 0..20 {
        grant(&ledger.ledger, "acme", 10, &format!("k{number}")).await.expect("granted");
        let shard = ledger.ledger.shard_of(&account("acme"));
        let head = shards::heads(&pool).await.of(shard).expect("it is there");
        let as_of = following
            .projector
            .wait_for("movements", shard, Some(&account("acme")), head, PATIENCE)
            .await
            .expect("it is known");
        assert!(as_of.reached && as_of.position >= head);
        assert_eq!(
            amounts(&pool, "acme").await.split_off(1),
            vec![10; number + 1],
            "after those for signing up"
        );
    }
}

#[tokio::test]
async fn a_read_that_waits_in_vain_says_how_old_it_is() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    // Nobody follows.
    let projector = open(pool.clone(), projections::all()).await;
    append(&pool, "a", &opened(noon()), noon().minus(chrono::TimeDelta::seconds(3)), 0).await;
    let heads = shards::heads(&pool).await;
    let as_of = shards::wait_for(&projector, "usage", &heads, Duration::from_millis(20)).await;
    assert!(!as_of.reached);
    assert_eq!((as_of.position.0, as_of.lag_ms), (0, 3_000));
}

#[tokio::test]
async fn another_instance_knows_what_the_leader_did() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let _leader = Following::start(pool.clone(), projections::all()).await;
    let other = open(pool.clone(), projections::all()).await;
    append(&pool, "a", &opened(noon()), noon(), 0).await;
    let as_of = shards::wait_for(&other, "accounts", &shards::heads(&pool).await, PATIENCE).await;
    assert!(as_of.reached);
    assert_eq!(as_of.lag_ms, 0);
}
