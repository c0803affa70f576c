//! What did an earlier command do? Its events are found by key, by sequence, or by generation.

use crate::domain::recorded::{RecordedEvent, Shard};
use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool};

use crate::domain::ids::{AccountId, GenerationId};

use super::{
    row::{self, RowError},
    unique::{self, Unique, columns},
};

/// The events of each command that has one of these keys or generations.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn by_uniques(
    connection: &mut PgConnection,
    shard: Shard,
    uniques: &[(AccountId, Unique)],
) -> Result<BTreeMap<(AccountId, Unique), Vec<RecordedEvent>>, RowError> {
    let ids: Vec<&str> = uniques.iter().map(|(id, _)| id.as_str()).collect();
    let (keys, generations) = columns(uniques.iter().map(|(id, unique)| (id, Some(unique))));
    let rows =
        sqlx::query(include_str!("by_uniques.sql")).bind(shard.0).bind(ids).bind(keys).bind(generations);
    let rows = rows.fetch_all(connection).await?;
    let mut found: BTreeMap<(AccountId, Unique), Vec<RecordedEvent>> = BTreeMap::new();
    for row in &rows {
        let number: i64 = sqlx::Row::try_get(row, "number")?;
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(wanted) = index.and_then(|index| uniques.get(index)) {
            found.entry(wanted.clone()).or_default().push(row::decode(row, shard)?);
        }
    }
    Ok(found)
}

/// One event of an account by its sequence.
///
/// # Errors
/// If the database does not answer, or the event cannot be read.
pub async fn by_sequence(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    sequence: i64,
) -> Result<Option<RecordedEvent>, RowError> {
    let row = sqlx::query(include_str!("by_sequence.sql"))
        .bind(shard.0)
        .bind(id.as_str())
        .bind(sequence)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(|row| row::decode(row, shard)).transpose()
}

/// The newest events that spent credits on a generation, at most `limit` of them.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn spent_on(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    generation: &GenerationId,
    limit: i64,
) -> Result<Vec<RecordedEvent>, RowError> {
    let query = include_str!("spent_on.sql");
    let all = unique::all_of(generation);
    let query = sqlx::query(query).bind(shard.0).bind(id.as_str()).bind(all.start).bind(all.end).bind(limit);
    query.fetch_all(pool).await?.iter().map(|row| row::decode(row, shard)).collect()
}

/// The events that refunded something of these deductions of an account, and the sequence of its last event when they
/// were read.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn refunds_of(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    deductions: &[&str],
) -> Result<(u64, Vec<RecordedEvent>), RowError> {
    let query = sqlx::query(include_str!("refunds_of.sql")).bind(shard.0).bind(id.as_str()).bind(deductions);
    let (mut until, mut refunds) = (None, Vec::new());
    for row in &query.fetch_all(pool).await? {
        until = sqlx::Row::try_get::<Option<i64>, _>(row, "until")?.and_then(|last| u64::try_from(last).ok());
        if sqlx::Row::try_get::<Option<i64>, _>(row, "position")?.is_some() {
            refunds.push(row::decode(row, shard)?);
        }
    }
    Ok((until.unwrap_or(0), refunds))
}

/// The event that committed a hold.
///
/// # Errors
/// If the database does not answer, or the event cannot be read.
pub async fn committed(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    hold: &str,
) -> Result<Option<RecordedEvent>, RowError> {
    let query = sqlx::query(include_str!("committed.sql")).bind(shard.0).bind(id.as_str()).bind(hold);
    let row = query.fetch_optional(pool).await?;
    row.as_ref().map(|row| row::decode(row, shard)).transpose()
}

/// The events of an account after a sequence, in order.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn stream(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<RecordedEvent>, RowError> {
    let query =
        sqlx::query(include_str!("stream.sql")).bind(shard.0).bind(id.as_str()).bind(after).bind(limit);
    let mut rows = query.fetch(pool);
    let mut events = Vec::new();
    while let Some(row) = rows.try_next().await? {
        events.push(row::decode(&row, shard)?);
    }
    Ok(events)
}

/// The accounts of a shard, in the order of their ids after one of them, at most `limit`.
///
/// # Errors
/// If the database does not answer.
pub async fn accounts(
    connection: &mut PgConnection,
    shard: Shard,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let accounts = sqlx::query_scalar(include_str!("accounts.sql")).bind(shard.0).bind(after).bind(limit);
    accounts.fetch_all(connection).await
}
