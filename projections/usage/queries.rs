//! How much did one account use, and how much did all?

use chrono::NaiveDate;
use sqlx::{FromRow, PgPool};

use crate::{
    domain::{amount::Credits, ids::AccountId, recorded::Shard, time::Timestamp},
    projections::calendar::quarter_of_an_hour,
};

use super::Buckets;

/// The usage of one type of generation in one day, week or month.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Day {
    /// The bucket's first day.
    pub day: NaiveDate,
    /// Empty for credits that were deducted as an amount, without a generation.
    pub generation_type: String,
    pub count: i64,
    pub credits: i64,
    pub refunds: i64,
    pub credits_refunded: i64,
}

/// The usage of one type of generation in one day, week or month, over all accounts.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct UsageGroup {
    /// The bucket's first day.
    pub day: NaiveDate,
    pub generation_type: String,
    pub accounts: i64,
    pub count: i64,
    pub credits: i64,
    pub refunds: i64,
    pub credits_refunded: i64,
}

/// One account's usage.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn of_account(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    buckets: &Buckets,
) -> Result<Vec<Day>, sqlx::Error> {
    sqlx::query_as(include_str!("of_account.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(buckets.begin())
        .bind(buckets.end)
        .bind(&buckets.starts)
        .bind(&buckets.days)
        .fetch_all(pool)
        .await
}

/// How many credits an account used after one time and until another, less what was refunded, by the quarters of an
/// hour that began then.
///
/// # Errors
/// If the database does not answer.
pub async fn used_between(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    (after, until): (Timestamp, Timestamp),
) -> Result<Credits, sqlx::Error> {
    let used: i64 = sqlx::query_scalar(include_str!("since.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(quarter_of_an_hour(after))
        .bind(until.to_utc())
        .fetch_one(pool)
        .await?;
    Credits::new(used).ok_or_else(|| sqlx::Error::Decode("a negative sum".into()))
}

/// All accounts' usage.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn overall(pool: &PgPool, buckets: &Buckets) -> Result<Vec<UsageGroup>, sqlx::Error> {
    sqlx::query_as(include_str!("overall.sql"))
        .bind(buckets.begin())
        .bind(buckets.end)
        .bind(&buckets.starts)
        .bind(&buckets.days)
        .fetch_all(pool)
        .await
}
