//! How far has a read model followed, and who waits for it?

use crate::domain::recorded::Shard;
use std::{collections::BTreeMap, sync::Arc};

use sqlx::{FromRow, PgConnection, PgPool};

use crate::{domain::time::Timestamp, projections::Projection};

use super::{error::ProjectorError, tables};

/// The version that a read model begins with.
const FIRST_VERSION: i32 = 1;

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

/// Makes sure that the read model has a live version, with its tables, and a checkpoint on every shard.
///
/// The first read models were made by migrations. The tables of others are made here when they are first run, and so
/// are those of one that a migration has dropped to have it built anew.
pub(super) async fn enter(
    pool: &PgPool,
    projection: &dyn Projection,
    shards: &[Shard],
) -> Result<(), ProjectorError> {
    let mut transaction = pool.begin().await?;
    let entered = sqlx::query(include_str!("enter.sql"))
        .bind(projection.name())
        .bind(FIRST_VERSION)
        .execute(&mut *transaction)
        .await?;
    let is_new = entered.rows_affected() == 1;
    if is_new && !tables::are_there(&mut transaction, projection, FIRST_VERSION).await? {
        tables::make(&mut transaction, projection, FIRST_VERSION).await?;
        tables::show(&mut transaction, projection, FIRST_VERSION).await?;
    }
    sqlx::query(include_str!("enter_shards.sql"))
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
    sqlx::query_scalar(include_str!("live_version.sql")).bind(projection).fetch_one(connection).await
}

/// Reads the checkpoint; `None` when there is none, such as after its version was dropped.
pub(super) async fn read(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, place, include_str!("checkpoint.sql")).await
}

/// Reads the checkpoint and keeps it from moving until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, place, include_str!("lock_checkpoint.sql")).await
}

async fn fetch(
    connection: &mut PgConnection,
    place: CheckpointId,
    statement: &str,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row: Option<CheckpointRow> = sqlx::query_as(statement)
        .bind(place.projection)
        .bind(place.version)
        .bind(place.shard.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(CheckpointRow { position, parks, stopped }) = row else { return Ok(None) };
    // Read after `parks`: if the accounts are newer than it, the next move fails and reads both again.
    let parked: Vec<(String, i64)> = sqlx::query_as(include_str!("parked_since.sql"))
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
    let moved = sqlx::query(include_str!("advance.sql"))
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
    sqlx::query(include_str!("count_park.sql"))
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
    sqlx::query(include_str!("park.sql"))
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
    sqlx::query(include_str!("stop.sql"))
        .bind(place.projection)
        .bind(place.version)
        .bind(place.shard.0)
        .bind(at.position)
        .bind(reason)
        .execute(pool)
        .await?;
    Ok(())
}
