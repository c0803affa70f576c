//! What did one account pay in advance: for which credits, and for which times?

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use crate::domain::{
    amount::{Currency, Money},
    ids::AccountId,
    recorded::Shard,
    revenue::CreditLot,
};

/// A lot of credits that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredLot {
    pub grant_id: String,
    /// Where the grant came from, in the words of a statement.
    pub source: String,
    pub sold_at: DateTime<Utc>,
    pub lot: CreditLot,
}

/// Money that is earned evenly: of `minor`, which is that of the whole period, the part from `since` until before
/// `until`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EarningSpanRow {
    /// Counted within the account.
    pub number: i32,
    pub currency: String,
    pub minor: i64,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

#[derive(FromRow)]
pub(super) struct LotColumns {
    pub grant_id: String,
    pub source: String,
    pub sold_at: DateTime<Utc>,
    currency: String,
    cost: i64,
    amount: i64,
    spent: i64,
    expired: i64,
    taken: i64,
    refunded: i64,
    used_and_refunded: i64,
}

impl LotColumns {
    /// The row was written from a lot, so it can be read.
    pub(super) fn read(self) -> Result<DeferredLot, sqlx::Error> {
        let currency = Currency::parse(&self.currency);
        let currency = currency.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let lot = CreditLot {
            cost: Money { minor: self.cost, currency },
            amount: self.amount,
            spent: self.spent,
            expired: self.expired,
            taken: self.taken,
            refunded: self.refunded,
            used_and_refunded: self.used_and_refunded,
        };
        Ok(DeferredLot { grant_id: self.grant_id, source: self.source, sold_at: self.sold_at, lot })
    }
}

/// The lots of an account by their grant: at most `limit`, from the one after `after` on.
///
/// # Errors
/// If the database does not answer.
pub async fn lots(
    pool: &PgPool,
    (shard, account): (Shard, &AccountId),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<DeferredLot>, sqlx::Error> {
    let rows: Vec<LotColumns> = sqlx::query_as(include_str!("lots_of_account.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(LotColumns::read).collect()
}

/// Over which times the money of an account's subscriptions is earned: at most `limit`, from the one after `after` on.
///
/// # Errors
/// If the database does not answer.
pub async fn spans(
    pool: &PgPool,
    (shard, account): (Shard, &AccountId),
    after: Option<i32>,
    limit: i64,
) -> Result<Vec<EarningSpanRow>, sqlx::Error> {
    sqlx::query_as(include_str!("spans_of_account.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(after.unwrap_or(-1))
        .bind(limit)
        .fetch_all(pool)
        .await
}
