//! Do those who use the database at once leave it as they should?

use std::time::Duration;

use counterfoil::postgres::{DATABASE, migrations, pool};
use sqlx::{Connection, Executor};

use super::{ask, connect, connect_with, start, throw_away};
use crate::support::Scratch;
use crate::support::database::TestDatabase;

#[tokio::test]
async fn instances_that_start_together_migrate_once() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let options = server.connect_options(DATABASE);
    let runs = futures::future::join_all((0..4).map(|_| migrations::run(&options, None))).await;
    for run in runs {
        run.unwrap();
    }
    let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
        .fetch_one(&mut connect(&server).await)
        .await
        .unwrap();
    assert_eq!(usize::try_from(applied).unwrap(), migrations::migrator().iter().count());
    server.stop().await;
}

#[tokio::test]
async fn a_pool_bounds_what_a_session_may_wait_for() {
    let database = TestDatabase::create().await;
    let mut session = database.pool().acquire().await.unwrap();
    for (setting, milliseconds) in [
        ("statement_timeout", pool::STATEMENT_TIMEOUT_MS),
        ("lock_timeout", pool::LOCK_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", pool::IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ] {
        let set =
            ask(&mut session, &format!("select setting from pg_settings where name = '{setting}'")).await;
        assert_eq!(set, milliseconds.to_string(), "{setting}");
    }
    assert_eq!(ask(&mut session, "show application_name").await, "counterfoil");
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let mut in_one = connect_with(&one.connect_options()).await;
    in_one.execute("create table ledger.mark ()").await.unwrap();
    let mut in_other = connect_with(&other.url().parse().unwrap()).await;
    assert_eq!(ask(&mut in_other, "select coalesce(to_regclass('ledger.mark')::text, 'none')").await, "none");
    in_one.close().await.unwrap();
}

/// A server that stops after that cuts no connection off.
#[tokio::test]
async fn a_pool_is_closed_when_the_last_of_its_connections_is() {
    let database = TestDatabase::create().await;
    for _ in 0..5 {
        let pool = pool::open(database.connect_options(), 2);
        let (idle, out) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(idle);
        while pool.num_idle() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let out = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(out);
        });
        pool::close(&pool).await;
        assert!(out.is_finished(), "it waited for the one that was out");
        assert_eq!(pool.size(), 0);
    }
}
