//! What did an earlier command do? Finds events by key, by number, or by the work that they were for.

use crate::domain::recorded::{RecordedEvent, Shard};
use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool};

use crate::domain::ids::{AccountId, GenerationId};

use super::{
    row::{self, COLUMNS, RowError},
    unique::{self, Unique, columns},
};

/// The events of each command that has one of these keys, or is for one of these generations, already.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn by_uniques(
    connection: &mut PgConnection,
    shard: Shard,
    uniques: &[(AccountId, Unique)],
) -> Result<BTreeMap<(AccountId, Unique), Vec<RecordedEvent>>, RowError> {
    let ids: Vec<&str> = uniques.iter().map(|(id, _)| id.as_str()).collect();
    let (keys, generations) = columns(uniques.iter().map(|(_, unique)| Some(unique)));
    // A command's events follow each other in its account's stream: the first one has the key, a generation's own is
    // the last. Limit and offset make each of them two look-ups in an index, whatever is known of the table's size.
    let query = format!(
        "select wanted.number, {COLUMNS} \
         from unnest($2::text[], $3::text[], $4::text[]) with ordinality as wanted (id, key, generation, number) \
         cross join lateral ( \
             select sequence as first, sequence + coalesce((metadata ->> 'events')::bigint, 1) - 1 as last \
             from ledger.events \
             where shard = $1 and aggregate_id = wanted.id and idempotency_key = wanted.key \
             union all \
             select sequence - coalesce((metadata ->> 'events')::bigint, 1) + 1, sequence from ledger.events \
             where shard = $1 and aggregate_id = wanted.id and generation = wanted.generation \
             limit 1 \
         ) as command \
         cross join lateral ( \
             select * from ledger.events where shard = $1 and aggregate_id = wanted.id \
             and sequence between command.first and command.last offset 0 \
         ) as e \
         order by e.position"
    );
    let rows = sqlx::query(&query).bind(shard.0).bind(ids).bind(keys).bind(generations);
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

/// One event of an account by its number.
///
/// # Errors
/// When the database does not answer or the event cannot be read.
pub async fn by_sequence(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    sequence: i64,
) -> Result<Option<RecordedEvent>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 and e.sequence = $3"
    );
    let row = sqlx::query(&query).bind(shard.0).bind(id.as_str()).bind(sequence).fetch_optional(pool).await?;
    row.as_ref().map(|row| row::decode(row, shard)).transpose()
}

/// The newest events that spent credits on a piece of work, at most `limit` of them.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn spent_on(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    generation: &GenerationId,
    limit: i64,
) -> Result<Vec<RecordedEvent>, RowError> {
    // The offset keeps the order from choosing the index.
    let query = format!(
        "select {COLUMNS} from ( \
             select * from ledger.events \
             where shard = $1 and aggregate_id = $2 and generation >= $3 and generation < $4 offset 0 \
         ) as e \
         where e.event_type in ('CreditsDeducted', 'HoldCommitted') \
         order by e.sequence desc limit $5"
    );
    let all = unique::all_of(generation);
    let query = sqlx::query(&query).bind(shard.0).bind(id.as_str()).bind(all.start).bind(all.end).bind(limit);
    query.fetch_all(pool).await?.iter().map(|row| row::decode(row, shard)).collect()
}

/// The event that committed a hold.
///
/// # Errors
/// When the database does not answer or the event cannot be read.
pub async fn committed(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    hold: &str,
) -> Result<Option<RecordedEvent>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 \
         and e.event_type = 'HoldCommitted' and e.payload #>> '{{HoldCommitted,hold_id}}' = $3 limit 1"
    );
    let query = sqlx::query(&query).bind(shard.0).bind(id.as_str()).bind(hold);
    let row = query.fetch_optional(pool).await?;
    row.as_ref().map(|row| row::decode(row, shard)).transpose()
}

/// The events of an account after a number, in their order.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn stream(
    pool: &PgPool,
    shard: Shard,
    id: &AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<RecordedEvent>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 and e.sequence > $3 \
         order by e.sequence limit $4"
    );
    let query = sqlx::query(&query).bind(shard.0).bind(id.as_str()).bind(after).bind(limit);
    let mut rows = query.fetch(pool);
    let mut events = Vec::new();
    while let Some(row) = rows.try_next().await? {
        events.push(row::decode(&row, shard)?);
    }
    Ok(events)
}
