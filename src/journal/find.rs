//! What did an earlier command do? Finds events by key, by number, or by the work that they were for.

use std::{collections::BTreeMap, sync::Arc};

use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool};

use crate::domain::names::{AccountId, GenerationId};

use super::{
    recorded::Recorded,
    row::{self, COLUMNS, RowError},
};

/// The events of each command that has one of these keys already.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn by_keys(
    connection: &mut PgConnection,
    shard: i16,
    keys: &[(AccountId, Arc<str>)],
) -> Result<BTreeMap<(AccountId, Arc<str>), Vec<Recorded>>, RowError> {
    let ids: Vec<&str> = keys.iter().map(|(id, _)| id.as_str()).collect();
    let texts: Vec<&str> = keys.iter().map(|(_, key)| key.as_ref()).collect();
    // A command's events follow each other in its account's stream, the first one has the key. Limit and offset make each of
    // them two look-ups in an index, whatever is known of the table's size.
    let query = format!(
        "select wanted.key, {COLUMNS} \
         from unnest($2::text[], $3::text[]) as wanted (id, key) \
         cross join lateral ( \
             select sequence, coalesce((metadata ->> 'events')::bigint, 1) as events from ledger.events \
             where shard = $1 and aggregate_id = wanted.id and idempotency_key = wanted.key limit 1 \
         ) as first \
         cross join lateral ( \
             select * from ledger.events where shard = $1 and aggregate_id = wanted.id \
             and sequence between first.sequence and first.sequence + first.events - 1 offset 0 \
         ) as e \
         order by e.position"
    );
    let rows = sqlx::query(&query).bind(shard).bind(ids).bind(texts);
    let rows = rows.fetch_all(connection).await?;
    let mut found: BTreeMap<(AccountId, Arc<str>), Vec<Recorded>> = BTreeMap::new();
    for row in &rows {
        let key: &str = sqlx::Row::try_get(row, "key")?;
        let recorded = row::decode(row)?;
        found.entry((recorded.account.clone(), key.into())).or_default().push(recorded);
    }
    Ok(found)
}

/// One event of an account by its number.
///
/// # Errors
/// When the database does not answer or the event cannot be read.
pub async fn by_sequence(
    pool: &PgPool,
    shard: i16,
    id: &AccountId,
    sequence: i64,
) -> Result<Option<Recorded>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 and e.sequence = $3"
    );
    let row = sqlx::query(&query).bind(shard).bind(id.as_str()).bind(sequence).fetch_optional(pool).await?;
    row.as_ref().map(row::decode).transpose()
}

/// The newest event that spent credits on a piece of work. The stream is read from its end, since what is
/// asked for is mostly recent.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn spent_on(
    pool: &PgPool,
    shard: i16,
    id: &AccountId,
    generation: &GenerationId,
) -> Result<Option<Recorded>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 \
         and e.event_type in ('CreditsDeducted', 'HoldCommitted') \
         and $3 in ( \
             e.payload #>> array[e.event_type, 'purpose', 'generation', 'id'], \
             e.payload #>> array[e.event_type, 'purpose', 'named', 'id'] \
         ) \
         order by e.sequence desc limit 1"
    );
    let query = sqlx::query(&query).bind(shard).bind(id.as_str()).bind(generation.as_str());
    let row = query.fetch_optional(pool).await?;
    row.as_ref().map(row::decode).transpose()
}

/// The event that committed a hold, which was made by the event with this number.
///
/// # Errors
/// When the database does not answer or the event cannot be read.
pub async fn committed(
    pool: &PgPool,
    shard: i16,
    id: &AccountId,
    hold: &str,
    sequence: i64,
) -> Result<Option<Recorded>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 and e.sequence > $4 \
         and e.event_type = 'HoldCommitted' and e.payload #>> '{{HoldCommitted,hold_id}}' = $3 \
         order by e.sequence limit 1"
    );
    let query = sqlx::query(&query).bind(shard).bind(id.as_str()).bind(hold).bind(sequence);
    let row = query.fetch_optional(pool).await?;
    row.as_ref().map(row::decode).transpose()
}

/// The events of an account after a number, in their order.
///
/// # Errors
/// When the database does not answer or an event cannot be read.
pub async fn stream(
    pool: &PgPool,
    shard: i16,
    id: &AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, RowError> {
    let query = format!(
        "select {COLUMNS} from ledger.events e \
         where e.shard = $1 and e.aggregate_id = $2 and e.sequence > $3 \
         order by e.sequence limit $4"
    );
    let query = sqlx::query(&query).bind(shard).bind(id.as_str()).bind(after).bind(limit);
    let mut rows = query.fetch(pool);
    let mut events = Vec::new();
    while let Some(row) = rows.try_next().await? {
        events.push(row::decode(&row)?);
    }
    Ok(events)
}
