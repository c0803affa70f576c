//! Each event counts once, whoever dies or leads.

use std::{sync::Arc, time::Duration};

use counterfoil::{
    domain::recorded::RecordedEvent,
    projections::{self, ApplyError, Projection, Tables, usage::UsageProjection},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;
use tokio::sync::Semaphore;

use crate::{database::consumer::depose, support::database::TestDatabase};

use super::{Following, catch_up, eventually};

#[tokio::test]
async fn a_projector_that_is_killed_anywhere_counts_nothing_twice() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 45_000, 200).await.expect("the journal takes it");
    for round in 0..6 {
        let options = database.connect_options();
        // A runtime of its own, which is thrown away with everything that runs on it.
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let killed = runtime.spawn(async move {
            let pool = counterfoil::postgres::pool::open(options, 16);
            let _following = Following::start(pool, projections::all()).await;
            std::future::pending::<()>().await;
        });
        let moment = Duration::from_millis(50 + 130 * round);
        assert!(tokio::time::timeout(moment, killed).await.is_err(), "it runs until it is killed");
        runtime.shutdown_background();
    }
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    following.assert_rebuild_finds_the_same().await;
}

/// A read model that stops in the middle of its first transaction until it may go on.
struct Gated {
    entered: Semaphore,
    may_go_on: Semaphore,
}

impl Projection for Gated {
    fn name(&self) -> &'static str {
        UsageProjection.name()
    }

    fn definition(&self) -> &'static str {
        UsageProjection.definition()
    }

    fn tables(&self) -> &'static [&'static str] {
        UsageProjection.tables()
    }

    fn totals(&self) -> &'static str {
        UsageProjection.totals()
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            UsageProjection.apply(events, tables, connection).await?;
            self.entered.add_permits(1);
            let _permit = self.may_go_on.acquire().await.expect("it is open");
            Ok(())
        }
        .boxed()
    }
}

#[tokio::test]
async fn of_two_projectors_that_both_believe_to_lead_one_counts() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 2_000, 50).await.expect("the journal takes it");
    let gate = Arc::new(Gated { entered: Semaphore::new(0), may_go_on: Semaphore::new(0) });
    let gated: Arc<dyn Projection> = Arc::<Gated>::clone(&gate);
    let one = Following::start(pool.clone(), vec![gated]).await;
    let _entered = gate.entered.acquire().await.expect("it is open");
    let other = Following::start(pool.clone(), vec![Arc::new(UsageProjection)]).await;
    eventually("the other waits for the checkpoint", || async {
        depose(&pool).await;
        let blocked: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity \
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&pool)
        .await
        .expect("an answer");
        blocked > 0
    })
    .await;
    gate.may_go_on.add_permits(1_000);
    one.caught_up(&pool).await;
    other.caught_up(&pool).await;
    other.assert_rebuild_finds_the_same().await;
}

#[tokio::test]
async fn two_projectors_that_are_deposed_again_and_again_count_nothing_twice() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    let other_pool = counterfoil::postgres::pool::open(database.connect_options(), 16);
    catch_up::fill(&pool, 45_000, 500).await.expect("the journal takes it");
    let one = Following::start(pool.clone(), projections::all()).await;
    let other = Following::start(other_pool, projections::all()).await;
    let deposing = async {
        loop {
            depose(&pool).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = one.caught_up(&pool) => {}
        () = deposing => {}
    }
    other.caught_up(&pool).await;
    one.assert_rebuild_finds_the_same().await;
}
