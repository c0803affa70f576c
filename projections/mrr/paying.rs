//! Which accounts paid at the end of a day?

use chrono::NaiveDate;
use sqlx::{FromRow, PgExecutor};

use crate::domain::{amount::Currency, recorded::Shard};

use super::queries::ROWS_MAX;

/// An account that paid at the end of a day, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PayingRow {
    pub shard: i16,
    pub account_id: String,
    pub currency: String,
    pub mrr: i64,
    /// The day of the movement that led to this MRR.
    pub since: NaiveDate,
}

/// The last account of a page, and its currency. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayingCursor {
    pub shard: Shard,
    pub account_id: String,
    pub currency: String,
}

impl PayingRow {
    #[must_use]
    pub fn cursor(&self) -> PayingCursor {
        PayingCursor {
            shard: Shard(self.shard),
            account_id: self.account_id.clone(),
            currency: self.currency.clone(),
        }
    }
}

/// At most `limit` of the accounts that paid at the end of `on`, in one currency or in any, by shard and name.
///
/// # Errors
/// If the database does not answer.
pub async fn paying(
    executor: impl PgExecutor<'_>,
    on: NaiveDate,
    currency: Option<&Currency>,
    after: Option<&PayingCursor>,
    limit: i64,
) -> Result<Vec<PayingRow>, sqlx::Error> {
    sqlx::query_as(include_str!("rows.sql"))
        .bind(on)
        .bind(currency.map(Currency::as_str))
        .bind(after.map_or(i16::MIN, |after| after.shard.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.currency.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .fetch_all(executor)
        .await
}
