//! Has one process at a time a lease, as long as its work takes, and does nobody keep it who is gone?

use std::{future::pending, time::Duration};

use counterfoil::postgres::lease::WorkLease;
use sqlx::PgPool;

use crate::support::database::TestDatabase;

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the lease is there, and until when, in seconds of the database's clock.
async fn until(pool: &PgPool) -> Option<f64> {
    let lease = "select extract(epoch from until)::float8 from read.leases where name = 'work'";
    sqlx::query_scalar(lease).fetch_optional(pool).await.expect("an answer")
}

async fn change(pool: &PgPool, what: &str) {
    let changed = sqlx::query(what).execute(pool).await.expect("it is changed");
    assert_eq!(changed.rows_affected(), 1, "{what}");
}

#[tokio::test]
async fn a_lease_is_of_one_renewed_while_the_work_goes_on_and_then_given_back() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let lease = WorkLease::take(&pool, "work").await.expect("an answer").expect("nobody has it");
    let begun = until(&pool).await.expect("it is there");
    let work = async {
        assert!(WorkLease::take(&pool, "work").await.expect("an answer").is_none());
        assert!(WorkLease::take(&pool, "other work").await.expect("an answer").is_some());
        while until(&pool).await.expect("it is there") <= begun {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        "done"
    };
    let done = tokio::time::timeout(PATIENCE, lease.during(work)).await.expect("it is renewed");
    assert_eq!(done, Some("done"));
    assert_eq!(until(&pool).await, None, "it was given back");
    assert!(WorkLease::take(&pool, "work").await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_is_anothers_and_its_work_is_aborted() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let frozen = WorkLease::take(&pool, "work").await.expect("an answer").expect("nobody has it");
    change(&pool, "update read.leases set until = now() - interval '1 second'").await;
    let mut transaction = pool.begin().await.expect("it begins");
    assert!(frozen.confirm(&mut transaction).await.expect("an answer"), "nobody else has had it");
    transaction.rollback().await.expect("it ends");
    let other = WorkLease::take(&pool, "work").await.expect("an answer").expect("its time was over");
    let mut transaction = pool.begin().await.expect("it begins");
    assert!(!frozen.confirm(&mut transaction).await.expect("an answer"));
    assert!(other.confirm(&mut transaction).await.expect("an answer"));
    // As long as it is confirmed, nobody else gets it, even if its time is over.
    sqlx::query("update read.leases set until = now() - interval '1 second'")
        .execute(&mut *transaction)
        .await
        .expect("it is changed");
    let impatient =
        "set local lock_timeout = '100ms'; update read.leases set until = now() where name = 'work'";
    assert!(sqlx::raw_sql(impatient).execute(&pool).await.is_err(), "it waits");
    transaction.rollback().await.expect("it ends");
    let aborted = tokio::time::timeout(PATIENCE, frozen.during(pending::<()>())).await;
    assert_eq!(aborted.expect("it notices"), None);
    assert!(until(&pool).await.is_some(), "it does not give back what is another's");
}
