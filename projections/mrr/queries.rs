//! How are movements, their sums and restatements read?

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgExecutor};

use crate::domain::{
    amount::Currency,
    ids::AccountId,
    recorded::{JournalPosition, Position, Shard},
};

use super::{
    churn::{ChurnCause, ChurnClass},
    movements::MovementKind,
    sums::month,
};

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

/// The sum of one kind of movement in one currency, since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct KindChange {
    pub currency: String,
    pub kind: String,
    pub change: i64,
    pub accounts: i64,
}

/// What changed on each day from `from` until before `until`, in one currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn day_changes(
    executor: impl PgExecutor<'_>,
    from: NaiveDate,
    until: NaiveDate,
    currency: Option<&Currency>,
) -> Result<Vec<DayChange>, sqlx::Error> {
    sqlx::query_as(include_str!("days.sql"))
        .bind(from)
        .bind(until)
        .bind(currency.map(Currency::as_str))
        .fetch_all(executor)
        .await
}

/// What all changes before `day` sum to, in one currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn changes_before(
    executor: impl PgExecutor<'_>,
    day: NaiveDate,
    currency: Option<&Currency>,
) -> Result<Vec<KindChange>, sqlx::Error> {
    sqlx::query_as(include_str!("before.sql"))
        .bind(month(day))
        .bind(day)
        .bind(currency.map(Currency::as_str))
        .fetch_all(executor)
        .await
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
    /// The name of a [`ChurnCause`], if it is churn.
    pub cause: Option<String>,
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

/// Which movements are wanted: those of the days from `from` until before `until`. What is `None` does not filter.
#[derive(Clone, Copy, Debug)]
pub struct MovementSelection<'a> {
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// An account, and its shard.
    pub account: Option<(Shard, &'a AccountId)>,
    pub kind: Option<MovementKind>,
    pub currency: Option<&'a Currency>,
    /// Only churn of this class.
    pub churn: Option<ChurnClass>,
}

impl MovementSelection<'_> {
    /// All movements of some days.
    #[must_use]
    pub const fn days(from: NaiveDate, until: NaiveDate) -> Self {
        Self { from, until, account: None, kind: None, currency: None, churn: None }
    }
}

/// At most `limit` of the selected movements, by day.
///
/// # Errors
/// If the database does not answer.
pub async fn movements(
    executor: impl PgExecutor<'_>,
    selection: MovementSelection<'_>,
    after: Option<&MovementCursor>,
    limit: i64,
) -> Result<Vec<MovementRow>, sqlx::Error> {
    let MovementSelection { from, until, account, kind, currency, churn } = selection;
    let causes = churn.map(|class| class.causes().into_iter().map(ChurnCause::name).collect::<Vec<_>>());
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
        .bind(kind.map(MovementKind::name))
        .bind(currency.map(Currency::as_str))
        .bind(causes);
    match account {
        Some((shard, account)) => page.bind(shard.0).bind(account.as_str()).fetch_all(executor).await,
        None => page.fetch_all(executor).await,
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
    executor: impl PgExecutor<'_>,
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
        .fetch_all(executor)
        .await
}
