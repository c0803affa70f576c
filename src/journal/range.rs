//! Which events of some types were recorded since a time?
//! They are read in ranges of positions, so that no query takes long.

use crate::domain::recorded::{Position, RecordedEvent, Shard};
use sqlx::{PgPool, Row};

use super::row::{self, RowError};
use crate::domain::time::Timestamp;

/// How many positions one query covers, whatever it finds.
pub const RANGE_EVENTS_MAX: i64 = 20_000;

/// How many of the last events are searched for the newest.
const LAST_EVENTS: i64 = 100;

/// The events of these types after a position, up to another one, in order.
/// An event that cannot be read does not stop the others.
///
/// # Errors
/// If the database does not answer.
pub async fn of_types(
    pool: &PgPool,
    shard: Shard,
    types: &[&str],
    after: Position,
    until: Position,
) -> Result<Vec<Result<RecordedEvent, RowError>>, sqlx::Error> {
    let rows =
        sqlx::query(include_str!("of_types.sql")).bind(shard.0).bind(after.0).bind(until.0).bind(types);
    Ok(rows.fetch_all(pool).await?.iter().map(|row| row::decode(row, shard)).collect())
}

/// The position before the first event that was recorded at `at` or later.
/// Events are ordered by time as far as clocks agree.
///
/// # Errors
/// If the database does not answer.
pub async fn before(
    pool: &PgPool,
    shard: Shard,
    at: Timestamp,
    head: Position,
) -> Result<Position, sqlx::Error> {
    let (mut earlier, mut later) = (0_i64, head.0.saturating_add(1));
    while earlier.saturating_add(1) < later {
        let middle = earlier.midpoint(later);
        if is_before(pool, shard, middle, at).await? { earlier = middle } else { later = middle }
    }
    Ok(Position(earlier))
}

/// When the newest of the last events up to a position was recorded. `None`: there are no events.
/// If a clock was set back, the last event need not be the newest.
///
/// # Errors
/// If the database does not answer.
pub async fn newest(pool: &PgPool, shard: Shard, head: Position) -> Result<Option<Timestamp>, sqlx::Error> {
    let query = include_str!("recorded_times.sql");
    let after = head.0.saturating_sub(LAST_EVENTS);
    let recorded: Vec<chrono::DateTime<chrono::Utc>> =
        sqlx::query_scalar(query).bind(shard.0).bind(after).bind(head.0).fetch_all(pool).await?;
    Ok(recorded.into_iter().max().map(Timestamp::from))
}

async fn is_before(pool: &PgPool, shard: Shard, position: i64, at: Timestamp) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(include_str!("is_before.sql"))
        .bind(shard.0)
        .bind(position)
        .bind(at.to_utc())
        .fetch_optional(pool)
        .await?;
    row.map_or(Ok(false), |row| row.try_get(0))
}
