//! Does each question get its own answer, whatever became of the reading of the journal on the same connection?

use counterfoil::domain::recorded::{Position, Shard};
use std::time::Duration;

use counterfoil::{
    journal::feed::{Feed, FeedBatch, FeedError},
    postgres::pool,
};
use sqlx::{Executor, PgPool};

use crate::support::ledger::{TestLedger, open};

/// A journal with some events, and a pool of one connection.
async fn alone() -> (TestLedger, PgPool) {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.unwrap();
    let pool = pool::open(test.database.connect_options(), 1);
    (test, pool)
}

/// Reads the journal's begin from the database.
async fn read(pool: &PgPool) -> Result<FeedBatch, FeedError> {
    Feed::new(pool.clone()).reader(Shard(0)).after(Position(0)).await
}

async fn answers_what_is_asked(pool: &PgPool) {
    for number in 1..=5_i64 {
        let asked = sqlx::query_scalar("select $1::bigint").bind(number);
        let answer: Vec<i64> = asked.fetch_all(pool).await.unwrap();
        assert_eq!(answer, [number]);
        // Another statement is prepared anew.
        let text: String = sqlx::query_scalar(&format!("select '{number}'")).fetch_one(pool).await.unwrap();
        assert_eq!(text, number.to_string());
    }
}

#[tokio::test]
async fn a_journal_that_could_not_be_read_leaves_no_answer_behind() {
    let (test, pool) = alone().await;
    let other = test.database.pool();
    for _ in 0..3 {
        other.execute("alter table ledger.events rename to lost").await.unwrap();
        let failed = read(&pool).await;
        assert!(matches!(failed, Err(FeedError::Database(sqlx::Error::Database(_)))), "{failed:?}");
        answers_what_is_asked(&pool).await;
        other.execute("alter table ledger.lost rename to events").await.unwrap();
        assert!(!read(&pool).await.unwrap().entries().is_empty());
        answers_what_is_asked(&pool).await;
    }
}

#[tokio::test]
async fn a_reading_that_was_given_up_leaves_no_answer_behind() {
    let (test, pool) = alone().await;
    let mut locked = test.database.pool().begin().await.unwrap();
    locked.execute("lock table ledger.events in access exclusive mode").await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(200), read(&pool)).await;
    assert!(waited.is_err(), "it waits for the table");
    locked.rollback().await.unwrap();
    answers_what_is_asked(&pool).await;
    assert!(!read(&pool).await.unwrap().entries().is_empty());
    answers_what_is_asked(&pool).await;
}
