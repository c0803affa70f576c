//! Which revenue was lost, why, and which is at risk?

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgExecutor};

use crate::domain::{amount::Currency, recorded::Shard};

use super::{churn::ChurnCause, queries::ROWS_MAX};

/// Revenue that was lost in one interval for one cause, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChurnedRevenue {
    /// The number of the interval, from 0.
    pub place: i32,
    pub currency: String,
    /// The name of a [`ChurnCause`].
    pub cause: String,
    /// Negative.
    pub amount: i64,
    /// How many movements.
    pub count: i64,
}

/// How many accounts that paid at the start of one interval stopped in it for one cause, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChurnedAccounts {
    /// The number of the interval, from 0.
    pub place: i32,
    pub currency: String,
    /// The name of a [`ChurnCause`]: of the first time, if they stopped several times.
    pub cause: String,
    pub accounts: i64,
}

/// The revenue that was lost in intervals by accounts that stopped paying, in one currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn revenue_churned(
    executor: impl PgExecutor<'_>,
    intervals: &[(NaiveDate, NaiveDate)],
    currency: Option<&Currency>,
) -> Result<Vec<ChurnedRevenue>, sqlx::Error> {
    sqlx::query_as(include_str!("churned.sql"))
        .bind((0..).take(intervals.len()).collect::<Vec<i32>>())
        .bind(intervals.iter().map(|(first, _)| *first).collect::<Vec<_>>())
        .bind(intervals.iter().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(currency.map(Currency::as_str))
        .fetch_all(executor)
        .await
}

/// The accounts that paid at the start of intervals and stopped in them, in one currency or in each.
///
/// # Errors
/// If the database does not answer.
pub async fn accounts_churned(
    executor: impl PgExecutor<'_>,
    intervals: &[(NaiveDate, NaiveDate)],
    currency: Option<&Currency>,
) -> Result<Vec<ChurnedAccounts>, sqlx::Error> {
    sqlx::query_as(include_str!("accounts_churned.sql"))
        .bind((0..).take(intervals.len()).collect::<Vec<i32>>())
        .bind(intervals.iter().map(|(first, _)| *first).collect::<Vec<_>>())
        .bind(intervals.iter().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(currency.map(Currency::as_str))
        .fetch_all(executor)
        .await
}

/// An account and a currency, or an account and a subscription: the last of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPartCursor {
    pub shard: Shard,
    pub account_id: String,
    /// The currency, or the subscription.
    pub of: String,
}

/// An account that paid at the start of some days and stopped in them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChurnedRow {
    pub shard: i16,
    pub account_id: String,
    pub currency: String,
    pub mrr_at_start: i64,
    /// The first day on which it stopped.
    pub churned_on: NaiveDate,
    /// The name of a [`ChurnCause`].
    pub cause: String,
}

impl ChurnedRow {
    #[must_use]
    pub fn cursor(&self) -> AccountPartCursor {
        let (account_id, of) = (self.account_id.clone(), self.currency.clone());
        AccountPartCursor { shard: Shard(self.shard), account_id, of }
    }
}

/// At most `limit` of the accounts that paid at the start of `from` and stopped before `until`, by shard and name.
/// `causes`: only for one of these.
///
/// # Errors
/// If the database does not answer.
pub async fn churned(
    executor: impl PgExecutor<'_>,
    (from, until): (NaiveDate, NaiveDate),
    (currency, causes): (Option<&Currency>, Option<&[ChurnCause]>),
    after: Option<&AccountPartCursor>,
    limit: i64,
) -> Result<Vec<ChurnedRow>, sqlx::Error> {
    sqlx::query_as(include_str!("churn_rows.sql"))
        .bind(from)
        .bind(until)
        .bind(currency.map(Currency::as_str))
        .bind(causes.map(|causes| causes.iter().map(|cause| cause.name()).collect::<Vec<_>>()))
        .bind(after.map_or(i16::MIN, |after| after.shard.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.of.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .fetch_all(executor)
        .await
}

/// What accounts pay of which a subscription is past due, or set to end, in one currency. An account may be both.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RevenueAtRisk {
    pub currency: String,
    pub mrr: i64,
    pub accounts: i64,
    pub mrr_past_due: i64,
    pub accounts_past_due: i64,
    pub mrr_set_to_end: i64,
    pub accounts_set_to_end: i64,
}

/// What is at risk, by all that is known, in one currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn at_risk(
    executor: impl PgExecutor<'_>,
    currency: Option<&Currency>,
) -> Result<Vec<RevenueAtRisk>, sqlx::Error> {
    let at_risk = sqlx::query_as(include_str!("at_risk.sql"));
    at_risk.bind(currency.map(Currency::as_str)).fetch_all(executor).await
}

/// A subscription that is past due, or set to end, and still counts.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AtRiskRow {
    pub shard: i16,
    pub account_id: String,
    pub subscription: String,
    pub currency: String,
    pub mrr: i64,
    pub past_due: bool,
    pub cancel_at: Option<DateTime<Utc>>,
    /// When the report took effect that says so.
    pub since: DateTime<Utc>,
}

impl AtRiskRow {
    #[must_use]
    pub fn cursor(&self) -> AccountPartCursor {
        let (account_id, of) = (self.account_id.clone(), self.subscription.clone());
        AccountPartCursor { shard: Shard(self.shard), account_id, of }
    }
}

/// Which subscriptions at risk are wanted. What is `None` does not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct RiskSelection<'a> {
    pub currency: Option<&'a Currency>,
    pub past_due: Option<bool>,
    pub set_to_end: Option<bool>,
}

/// At most `limit` of the subscriptions at risk, by shard, account and name.
///
/// # Errors
/// If the database does not answer.
pub async fn at_risk_rows(
    executor: impl PgExecutor<'_>,
    selection: RiskSelection<'_>,
    after: Option<&AccountPartCursor>,
    limit: i64,
) -> Result<Vec<AtRiskRow>, sqlx::Error> {
    sqlx::query_as(include_str!("at_risk_rows.sql"))
        .bind(selection.currency.map(Currency::as_str))
        .bind(selection.past_due)
        .bind(selection.set_to_end)
        .bind(after.map_or(i16::MIN, |after| after.shard.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.of.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .fetch_all(executor)
        .await
}
