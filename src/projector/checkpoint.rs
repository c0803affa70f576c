//! How far is a read model, and who waits?

use crate::domain::recorded::Shard;
use std::{collections::BTreeMap, sync::Arc};

use sqlx::{FromRow, PgConnection, PgPool};

use crate::{domain::time::Timestamp, projections::Projection};

use super::error::ProjectorError;

/// Which checkpoint is meant: one version of one read model, on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CheckpointId {
    pub projection: &'static str,
    pub version: i32,
    pub shard: Shard,
}

/// A checkpoint as it was read. Whoever moves it names these values, and fails when they are others by now.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkpoint {
    pub position: i64,
    pub parks: i64,
    pub stopped: Option<String>,
    /// The accounts that wait, with the position of the event that could not be applied.
    pub parked: Arc<BTreeMap<String, i64>>,
}

#[derive(FromRow)]
struct CheckpointRow {
    position: i64,
    parks: i64,
    stopped: Option<String>,
}

/// Makes sure that the read model has a live version and, on every shard, a checkpoint.
pub(super) async fn enter(
    pool: &PgPool,
    projection: &dyn Projection,
    shards: &[Shard],
) -> Result<(), ProjectorError> {
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "insert into read.projections (projection, live_version) values ($1, 1) on conflict do nothing",
    )
    .bind(projection.name())
    .execute(&mut *transaction)
    .await?;
    // Not only `on conflict`, which would wait for whoever is moving the checkpoint.
    sqlx::query(
        "insert into read.checkpoints (projection, version, shard, position) \
         select live.projection, live_version, shards.shard, 0 \
         from read.projections live cross join unnest($2::smallint[]) as shards (shard) \
         where live.projection = $1 and not exists ( \
             select from read.checkpoints known where known.projection = live.projection \
             and known.version = live_version and known.shard = shards.shard \
         ) on conflict do nothing",
    )
    .bind(projection.name())
    .bind(shards.iter().map(|shard| shard.0).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn live_version(
    connection: &mut PgConnection,
    projection: &str,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("select live_version from read.projections where projection = $1")
        .bind(projection)
        .fetch_one(connection)
        .await
}

/// Reads the checkpoint; `None` when there is none, such as after its version was dropped.
pub(super) async fn read(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, place, "").await
}

/// Reads the checkpoint and keeps it from moving until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, place, " for update").await
}

async fn fetch(
    connection: &mut PgConnection,
    place: CheckpointId,
    locking: &str,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let statement = format!(
        "select position, parks, stopped from read.checkpoints \
         where projection = $1 and version = $2 and shard = $3{locking}"
    );
    let row: Option<CheckpointRow> = sqlx::query_as(&statement)
        .bind(place.projection)
        .bind(place.version)
        .bind(place.shard.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(CheckpointRow { position, parks, stopped }) = row else { return Ok(None) };
    // Read after `parks`: if the accounts are newer than it, the next move fails and reads both again.
    let parked: Vec<(String, i64)> = sqlx::query_as(
        "select account_id, position from read.parked where projection = $1 and version = $2 and shard = $3",
    )
    .bind(place.projection)
    .bind(place.version)
    .bind(place.shard.0)
    .fetch_all(connection)
    .await?;
    Ok(Some(Checkpoint { position, parks, stopped, parked: Arc::new(parked.into_iter().collect()) }))
}

/// Moves the checkpoint, if it still is what was read. Locks it until the transaction ends.
pub(super) async fn advance(
    connection: &mut PgConnection,
    place: CheckpointId,
    from: &Checkpoint,
    to: i64,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "update read.checkpoints set position = $6, stopped = null \
         where projection = $1 and version = $2 and shard = $3 and position = $4 and parks = $5",
    )
    .bind(place.projection)
    .bind(place.version)
    .bind(place.shard.0)
    .bind(from.position)
    .bind(from.parks)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Notes that the set of parked accounts, or which version is live, is another one from now on.
pub(super) async fn count_park(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update read.checkpoints set parks = parks + 1 \
         where projection = $1 and version = $2 and shard = $3",
    )
    .bind(place.projection)
    .bind(place.version)
    .bind(place.shard.0)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn park(
    connection: &mut PgConnection,
    place: CheckpointId,
    account: &str,
    position: i64,
    reason: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into read.parked (projection, version, shard, account_id, position, reason, parked_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(place.projection)
    .bind(place.version)
    .bind(place.shard.0)
    .bind(account)
    .bind(position)
    .bind(reason)
    .bind(at.to_utc())
    .execute(&mut *connection)
    .await?;
    count_park(connection, place).await
}

/// Notes why nothing is applied any more, unless it has moved on meanwhile.
pub(super) async fn stop(
    pool: &PgPool,
    place: CheckpointId,
    at: &Checkpoint,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update read.checkpoints set stopped = $5 \
         where projection = $1 and version = $2 and shard = $3 and position = $4",
    )
    .bind(place.projection)
    .bind(place.version)
    .bind(place.shard.0)
    .bind(at.position)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(())
}
