//! Which events does one account have, in a part of its history?

use std::ops::RangeInclusive;

use sqlx::{PgPool, postgres::PgRow};

use crate::domain::{
    ids::{AccountId, GenerationId},
    recorded::{RecordedEvent, Shard},
};

use super::{load::LoadError, row, unique};

/// Which end of a part is wanted, if not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEnd {
    First,
    Last,
}

/// The account's events of these types in a range of sequences, in order.
/// The database reads the whole range, so the caller keeps it short.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn of_account(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    types: &[&str],
    sequences: RangeInclusive<i64>,
) -> Result<Vec<RecordedEvent>, LoadError> {
    let rows = sqlx::query(include_str!("of_account.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(sequences.start())
        .bind(sequences.end())
        .bind(types);
    decode(&rows.fetch_all(pool).await?, shard)
}

/// The account's events that charge, hold or return credits for a generation, in a range of sequences, in order.
/// At most `limit` of them, from one end of the range.
///
/// # Errors
/// If the database does not answer, or an event cannot be read.
pub async fn of_generation(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    generation: &GenerationId,
    sequences: RangeInclusive<i64>,
    (end, limit): (HistoryEnd, i64),
) -> Result<Vec<RecordedEvent>, LoadError> {
    let spent = unique::all_of(generation);
    let rows = sqlx::query(include_str!("of_generation.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(spent.start)
        .bind(spent.end)
        .bind(generation.as_str())
        .bind(sequences.start())
        .bind(sequences.end())
        .bind(end == HistoryEnd::Last)
        .bind(limit);
    decode(&rows.fetch_all(pool).await?, shard)
}

fn decode(rows: &[PgRow], shard: Shard) -> Result<Vec<RecordedEvent>, LoadError> {
    rows.iter().map(|row| Ok(row::decode(row, shard)?)).collect()
}
