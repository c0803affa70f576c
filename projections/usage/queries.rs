//! Usage of one account, and of all.

use chrono::NaiveDate;
use sqlx::{FromRow, PgPool};

use crate::domain::names::AccountId;

/// What was used of one type of generation on one day.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Day {
    pub day: NaiveDate,
    /// Empty for credits that were spent on something that the caller named.
    pub generation_type: String,
    pub count: i64,
    pub credits: i64,
    pub refunds: i64,
    pub credits_refunded: i64,
}

/// How the days of [`overall`] are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    Day,
    /// From Monday.
    Week,
    Month,
}

impl Bucket {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// What was used of one type of generation in one day, week or month, over all accounts.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Group {
    /// The bucket's first day.
    pub day: NaiveDate,
    pub generation_type: String,
    pub accounts: i64,
    pub count: i64,
    pub credits: i64,
    pub refunds: i64,
    pub credits_refunded: i64,
}

/// One account's days from `from` until before `until`.
///
/// # Errors
/// When the database cannot answer.
pub async fn of_account(
    pool: &PgPool,
    account: &AccountId,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<Day>, sqlx::Error> {
    sqlx::query_as(include_str!("of_account.sql"))
        .bind(account.as_str())
        .bind(from)
        .bind(until)
        .fetch_all(pool)
        .await
}

/// All accounts' usage from `from` until before `until`.
///
/// # Errors
/// When the database cannot answer, or a sum is more than fits.
pub async fn overall(
    pool: &PgPool,
    from: NaiveDate,
    until: NaiveDate,
    bucket: Bucket,
) -> Result<Vec<Group>, sqlx::Error> {
    sqlx::query_as(include_str!("overall.sql"))
        .bind(from)
        .bind(until)
        .bind(bucket.name())
        .fetch_all(pool)
        .await
}
