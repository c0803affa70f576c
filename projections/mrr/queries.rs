//! How are movements, restatements and retention read?

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgPool};

use crate::domain::{
    ids::AccountId,
    recorded::{JournalPosition, Position, Shard},
};

use super::movements::MovementKind;

/// The most rows of a list.
pub const ROWS_MAX: i64 = 1_000;

/// The sum of one kind of movement on one day, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayChange {
    pub currency: String,
    pub day: NaiveDate,
    pub kind: String,
    pub change: i64,
    pub accounts: i64,
}

/// What changed on each day before `until`, from the first day on.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn day_changes(pool: &PgPool, until: NaiveDate) -> Result<Vec<DayChange>, sqlx::Error> {
    sqlx::query_as(include_str!("days.sql")).bind(until).fetch_all(pool).await
}

/// A movement of one account on one day, and the event that caused it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MovementRow {
    pub account_id: String,
    pub currency: String,
    /// The day on which it took effect, in UTC.
    pub day: NaiveDate,
    /// The name of a [`MovementKind`].
    pub kind: String,
    pub before: i64,
    pub after: i64,
    /// The sequence of the event that caused it.
    pub sequence: i64,
    pub stripe_event: Option<String>,
    pub subscription: String,
}

/// The last movement of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementCursor {
    pub day: NaiveDate,
    pub account_id: String,
    pub currency: String,
}

impl MovementRow {
    #[must_use]
    pub fn cursor(&self) -> MovementCursor {
        MovementCursor { day: self.day, account_id: self.account_id.clone(), currency: self.currency.clone() }
    }
}

/// At most `limit` movements of the days from `from` until before `until`, ordered by day.
/// `account`: the only one whose movements are wanted, and its shard.
///
/// # Errors
/// If the database does not answer.
pub async fn movements(
    pool: &PgPool,
    from: NaiveDate,
    until: NaiveDate,
    account: Option<(Shard, &AccountId)>,
    kind: Option<MovementKind>,
    after: Option<&MovementCursor>,
    limit: i64,
) -> Result<Vec<MovementRow>, sqlx::Error> {
    let statement = match account {
        Some(_) => include_str!("movements_of_account.sql"),
        None => include_str!("movements.sql"),
    };
    let page = sqlx::query_as(statement)
        .bind(from)
        .bind(until)
        .bind(after.map_or(from, |after| after.day))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.currency.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .bind(kind.map(MovementKind::name));
    match account {
        Some((shard, account)) => page.bind(shard.0).bind(account.as_str()).fetch_all(pool).await,
        None => page.fetch_all(pool).await,
    }
}

/// A day that was over when a report changed it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RestatementRow {
    pub shard: i16,
    /// The position, on the shard, of the event that changed it.
    pub position: i64,
    pub account_id: String,
    pub currency: String,
    pub day: NaiveDate,
    pub recorded_at: DateTime<Utc>,
    pub stripe_event: Option<String>,
    pub kind_before: Option<String>,
    pub change_before: i64,
    pub kind_after: Option<String>,
    pub change_after: i64,
}

/// The last restatement of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestatementCursor {
    pub day: NaiveDate,
    pub recorded_at: DateTime<Utc>,
    pub at: JournalPosition,
    pub account_id: String,
    pub currency: String,
}

impl RestatementRow {
    #[must_use]
    pub const fn at(&self) -> JournalPosition {
        JournalPosition::new(Shard(self.shard), Position(self.position))
    }

    #[must_use]
    pub fn cursor(&self) -> RestatementCursor {
        RestatementCursor {
            day: self.day,
            recorded_at: self.recorded_at,
            at: self.at(),
            account_id: self.account_id.clone(),
            currency: self.currency.clone(),
        }
    }
}

/// At most `limit` restatements of the days from `from` until before `until`, by day, and in the order in which they
/// were recorded, from the one after `after` on.
///
/// # Errors
/// If the database does not answer.
pub async fn restatements(
    pool: &PgPool,
    from: NaiveDate,
    until: NaiveDate,
    after: Option<&RestatementCursor>,
    limit: i64,
) -> Result<Vec<RestatementRow>, sqlx::Error> {
    // Of the first page, everything comes after the day before.
    let day = after.map_or_else(|| from.pred_opt().unwrap_or(from), |after| after.day);
    sqlx::query_as(include_str!("restatements.sql"))
        .bind(from)
        .bind(until)
        .bind(limit.clamp(1, ROWS_MAX))
        .bind(day)
        .bind(after.map_or(DateTime::UNIX_EPOCH, |after| after.recorded_at))
        .bind(after.map_or(0, |after| after.at.shard.0))
        .bind(after.map_or(0, |after| after.at.position.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.currency.as_str()))
        .fetch_all(pool)
        .await
}

/// What became of the accounts that paid at the start of a span of days, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RevenueRetention {
    pub currency: String,
    pub mrr_at_start: i64,
    pub mrr_at_end: i64,
    /// The MRR at the end of the accounts that paid at the start.
    pub kept_and_grown: i64,
    /// The same, with each account counting at most as much as at the start.
    pub kept: i64,
    pub accounts_at_start: i64,
    pub accounts_at_end: i64,
    /// How many of the accounts that paid at the start stopped at some time.
    pub accounts_churned: i64,
}

/// Retention from the start of `from` to the start of `until`, for each currency.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn retention(
    pool: &PgPool,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<RevenueRetention>, sqlx::Error> {
    sqlx::query_as(include_str!("retention.sql")).bind(from).bind(until).fetch_all(pool).await
}
