//! An event that cannot be applied holds up its account, or a revenue figure, and nothing else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use counterfoil::{
    consumer::ConsumerError,
    domain::recorded::{RecordedEvent, Shard},
    projections::{self, ApplyError, OnFailure, Projection, Tables},
    projector::{ProjectionState, ProjectorError},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, deduct, grant, noon, open as open_account},
    shards,
};

use super::movements::{self, Movements, amounts};
use super::{Following, PATIENCE, append, append_payload, deducted, eventually, granted, opened};

/// The read model of a release that has a bug, which shows on one account.
struct FailsOn {
    account: &'static str,
    broken: Arc<AtomicBool>,
    /// Lets the database refuse the rows, instead of the code.
    by_constraint: bool,
    on_failure: OnFailure,
}

impl Projection for FailsOn {
    fn name(&self) -> &'static str {
        Movements.name()
    }

    fn definition(&self) -> &'static str {
        Movements.definition()
    }

    fn tables(&self) -> &'static [&'static str] {
        Movements.tables()
    }

    fn totals(&self) -> &'static str {
        Movements.totals()
    }

    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let hit =
                events.iter().find(|event| event.account.as_str() == self.account && event.sequence >= 3);
            Movements.apply(events, tables, connection).await?;
            match hit {
                Some(_) if self.broken.load(Ordering::SeqCst) && self.by_constraint => {
                    // The row is there already, and the primary key says so.
                    Movements.apply(events, tables, connection).await
                }
                Some(event) if self.broken.load(Ordering::SeqCst) => {
                    Err(ApplyError::Unfit { position: event.position.0, reason: "a bug".into() })
                }
                Some(_) | None => Ok(()),
            }
        }
        .boxed()
    }
}

async fn parks_and_unparks(by_constraint: bool) {
    let ledger = TestLedger::of_one_shard().await;
    let pool = ledger.database.pool();
    let broken = Arc::new(AtomicBool::new(true));
    let failing =
        FailsOn { account: "bad", broken: Arc::clone(&broken), by_constraint, on_failure: OnFailure::Park };
    let following = Following::start(
        pool.clone(),
        vec![Arc::new(failing), Arc::new(projections::usage::UsageProjection)],
    )
    .await;
    for id in ["bad", "good"] {
        open_account(&ledger.ledger, id).await.expect("opened");
        grant(&ledger.ledger, id, 100, "start").await.expect("granted");
    }
    for amount in 1..=3 {
        for id in ["bad", "good"] {
            let key = format!("k{amount}");
            ledger.ledger.execute(deduct(id, amount, &key)).await.expect("the ledger goes on");
        }
    }
    following.caught_up(&pool).await;

    let good = amounts(&pool, "good").await;
    assert!(good.ends_with(&[100, -1, -2, -3]), "{good:?}");
    let bad = amounts(&pool, "bad").await;
    assert!(bad.len() < good.len(), "{bad:?}");
    let listing = following.listing("movements").await;
    assert_eq!((&listing.state, listing.parked.len()), (&ProjectionState::Live, 1));
    assert_eq!(listing.parked[0].account_id, "bad");
    assert!(following.listing("usage").await.parked.is_empty());
    let shard = ledger.ledger.shard_of(&account("bad"));
    let head = shards::heads(&pool).await.of(shard).expect("it is there");
    let as_of = following
        .projector
        .wait_for("movements", shard, Some(&account("bad")), head, PATIENCE)
        .await
        .expect("it is known");
    assert!(as_of.parked && !as_of.reached, "the caller is told, and does not wait");

    let in_vain = following.projector.unpark("movements", &account("bad")).await;
    assert!(in_vain.is_err(), "the bug is still there");
    broken.store(false, Ordering::SeqCst);
    following.projector.unpark("movements", &account("bad")).await.expect("the bug is gone");
    let bad = amounts(&pool, "bad").await;
    assert_eq!(bad, good, "the same commands, the same rows");
    ledger.ledger.execute(deduct("bad", 4, "k4")).await.expect("deducted");
    following.caught_up(&pool).await;
    assert_eq!(amounts(&pool, "bad").await.last(), Some(&-4));
    assert!(matches!(
        following.projector.unpark("movements", &account("bad")).await,
        Err(ProjectorError::Consumer(ConsumerError::NotParked { .. }))
    ));
    following.assert_rebuild_finds_the_same().await;
}

#[tokio::test]
async fn a_failing_account_parks_and_catches_up_when_it_is_unparked() {
    parks_and_unparks(false).await;
}

#[tokio::test]
async fn an_account_whose_rows_the_database_refuses_parks_too() {
    parks_and_unparks(true).await;
}

#[tokio::test]
async fn an_unreadable_event_parks_its_account_and_stops_revenue() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    for id in ["bad", "good"] {
        append(&pool, id, &opened(noon()), noon(), 0).await;
        append(&pool, id, &granted(50, noon()), noon(), 50).await;
    }
    append_payload(&pool, "bad", "CreditsDeducted", r#"{"CreditsDeducted":{}}"#, noon(), 49).await;
    append(&pool, "bad", &deducted(2, 1, noon()), noon(), 48).await;
    append(&pool, "good", &deducted(1, 1, noon()), noon(), 49).await;
    let following = Following::start(pool.clone(), movements::and_all()).await;
    let all = shards::heads(&pool).await.of(Shard(0)).expect("the only one");
    for name in ["movements", "usage", "accounts", "deadlines", "subscriptions"] {
        let as_of =
            following.projector.wait_for(name, Shard(0), None, all, PATIENCE).await.expect("it is known");
        assert!(as_of.reached, "{name}");
        assert_eq!(following.listing(name).await.parked[0].position, 5, "{name}");
    }
    assert_eq!(amounts(&pool, "good").await, [50, -1]);
    assert_eq!(amounts(&pool, "bad").await, [50], "what came after waits behind it");
    eventually("revenue stops", || async {
        matches!(following.listing("mrr").await.state, ProjectionState::Stopped { .. })
    })
    .await;
    assert_eq!(following.listing("mrr").await.position.0, 4, "all before it is in the figure");
}

#[tokio::test]
async fn a_read_model_that_stopped_goes_on_where_it_was_when_it_is_resumed() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    let broken = Arc::new(AtomicBool::new(true));
    let failing = FailsOn {
        account: "bad",
        broken: Arc::clone(&broken),
        by_constraint: false,
        on_failure: OnFailure::Stop,
    };
    for id in ["bad", "good"] {
        append(&pool, id, &opened(noon()), noon(), 0).await;
        append(&pool, id, &granted(50, noon()), noon(), 50).await;
        append(&pool, id, &deducted(1, 1, noon()), noon(), 49).await;
    }
    let following = Following::start(pool.clone(), vec![Arc::new(failing)]).await;
    eventually("it stops", || async {
        matches!(following.listing("movements").await.state, ProjectionState::Stopped { .. })
    })
    .await;
    assert_eq!(following.listing("movements").await.position.0, 2);
    assert_eq!(amounts(&pool, "good").await, [0_i64; 0]);
    broken.store(false, Ordering::SeqCst);
    following.projector.resume("movements").await.expect("it is known");
    following.caught_up(&pool).await;
    assert_eq!(amounts(&pool, "good").await, [50, -1]);
    assert_eq!(following.listing("movements").await.state, ProjectionState::Live);
}
