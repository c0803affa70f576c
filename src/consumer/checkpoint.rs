//! How far has a consumer followed, and who waits for it?

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{
    FromRow, PgConnection, PgPool, Postgres,
    postgres::PgArguments,
    query::{Query, QueryAs},
};

use crate::domain::{recorded::Shard, time::Timestamp};

use super::contract::Pass;

/// Which checkpoint is meant: of one pass of one consumer, on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckpointId {
    pub consumer: &'static str,
    pub pass: Pass,
    pub shard: Shard,
}

/// A checkpoint as it was read. A move names these values, and fails if they have changed.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    pub position: i64,
    pub parks: i64,
    /// Why the consumer has stopped.
    pub stopped: Option<String>,
    /// The parked accounts, with the position of the event that could not be handled.
    pub parked: Arc<BTreeMap<String, i64>>,
}

#[derive(FromRow)]
struct CheckpointRow {
    position: i64,
    parks: i64,
    stopped: Option<String>,
}

impl CheckpointId {
    /// A statement whose first parameters are these.
    pub(super) fn query(self, statement: &str) -> Query<'_, Postgres, PgArguments> {
        sqlx::query(statement).bind(self.consumer).bind(self.pass.0).bind(self.shard.0)
    }

    fn rows<R>(self, statement: &str) -> QueryAs<'_, Postgres, R, PgArguments>
    where
        R: for<'r> FromRow<'r, sqlx::postgres::PgRow>,
    {
        sqlx::query_as(statement).bind(self.consumer).bind(self.pass.0).bind(self.shard.0)
    }
}

/// Makes sure that a pass has a checkpoint on each of the shards.
///
/// # Errors
/// If the database does not answer.
pub async fn begin(
    connection: &mut PgConnection,
    consumer: &str,
    pass: Pass,
    shards: &[Shard],
) -> Result<(), sqlx::Error> {
    let begun: Vec<i16> = sqlx::query_scalar(include_str!("begun.sql"))
        .bind(consumer)
        .bind(pass.0)
        .fetch_all(&mut *connection)
        .await?;
    // Not only `on conflict`, which would wait for whoever is moving a checkpoint.
    let new: Vec<i16> = shards.iter().map(|shard| shard.0).filter(|shard| !begun.contains(shard)).collect();
    if !new.is_empty() {
        let begin = sqlx::query(include_str!("begin.sql")).bind(consumer).bind(pass.0).bind(new);
        begin.execute(connection).await?;
    }
    Ok(())
}

/// The passes of a consumer, in their order.
///
/// # Errors
/// If the database does not answer.
pub async fn passes(connection: &mut PgConnection, consumer: &str) -> Result<Vec<Pass>, sqlx::Error> {
    let passes: Vec<i32> =
        sqlx::query_scalar(include_str!("passes.sql")).bind(consumer).fetch_all(connection).await?;
    Ok(passes.into_iter().map(Pass).collect())
}

/// Forgets a pass and its parked accounts.
///
/// # Errors
/// If the database does not answer.
pub async fn forget(connection: &mut PgConnection, consumer: &str, pass: Pass) -> Result<(), sqlx::Error> {
    for statement in [include_str!("forget_parked.sql"), include_str!("forget_checkpoints.sql")] {
        sqlx::query(statement).bind(consumer).bind(pass.0).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Reads the checkpoint; `None` when there is none, such as after its pass was forgotten.
///
/// # Errors
/// If the database does not answer.
pub async fn read(
    connection: &mut PgConnection,
    place: CheckpointId,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, place, include_str!("checkpoint.sql")).await
}

/// Reads the checkpoint and keeps it from moving until the transaction ends.
///
/// # Errors
/// If the database does not answer.
pub async fn lock(
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
    let row: Option<CheckpointRow> = place.rows(statement).fetch_optional(&mut *connection).await?;
    let Some(CheckpointRow { position, parks, stopped }) = row else { return Ok(None) };
    // Read after `parks`: if the accounts are newer than it, the next move fails and reads both again.
    let parked: Vec<(String, i64)> =
        place.rows(include_str!("parked_since.sql")).fetch_all(connection).await?;
    Ok(Some(Checkpoint { position, parks, stopped, parked: Arc::new(parked.into_iter().collect()) }))
}

/// Invalidates what workers have read of the checkpoint, since its parked accounts or the current pass have changed.
///
/// # Errors
/// If the database does not answer.
pub async fn invalidate(connection: &mut PgConnection, place: CheckpointId) -> Result<(), sqlx::Error> {
    place.query(include_str!("invalidate.sql")).execute(connection).await.map(|_| ())
}

/// Whether a transaction is on the disk when it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    OnDisk,
    /// A crash of the database may undo it, with all that came after it, and then it is done again: what was handled
    /// and the checkpoint go back together, and the events are on the disk.
    Soon,
}

/// Moves the checkpoint if it is still as it was read, and locks it until the transaction ends.
pub(super) async fn advance(
    connection: &mut PgConnection,
    place: CheckpointId,
    from: &Checkpoint,
    to: i64,
    commit: Commit,
) -> Result<bool, sqlx::Error> {
    let advance = place.query(include_str!("advance.sql")).bind(from.position).bind(from.parks).bind(to);
    let advance = advance.bind(commit == Commit::OnDisk);
    Ok(advance.fetch_optional(connection).await?.is_some())
}

pub(super) async fn park(
    connection: &mut PgConnection,
    place: CheckpointId,
    account: &str,
    position: i64,
    reason: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let park = place.query(include_str!("park.sql")).bind(account).bind(position).bind(reason);
    park.bind(at.to_utc()).execute(&mut *connection).await?;
    invalidate(connection, place).await
}

/// Stores why the consumer stopped, unless the checkpoint has moved meanwhile.
pub(super) async fn stop(
    pool: &PgPool,
    place: CheckpointId,
    at: &Checkpoint,
    reason: &str,
) -> Result<(), sqlx::Error> {
    place.query(include_str!("stop.sql")).bind(at.position).bind(reason).execute(pool).await.map(|_| ())
}
