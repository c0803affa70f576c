//! How old is an answer, and how does a caller wait for a newer one?

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::domain::{
    ids::AccountId,
    recorded::{Position, Shard},
    time::Timestamp,
};

use super::{
    Projector,
    checkpoint::{self, CheckpointId},
    error::ProjectorError,
};

/// How often a process that does not lead looks at the checkpoint while someone waits.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// What a follower last knew. Only that of the leader is current.
#[derive(Clone, Debug, Default)]
pub(super) struct FollowerProgress {
    pub leads: bool,
    pub position: i64,
    pub parked: Arc<BTreeMap<String, i64>>,
}

/// What an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// Every event up to here is in the answer.
    pub position: Position,
    /// The age of the oldest event that is not in the answer, in milliseconds; 0 when all are.
    pub lag_ms: i64,
    /// Whether the answer is as new as the caller asked for.
    pub reached: bool,
    /// The account has an event that could not be applied: it and the later ones are not in the answer.
    pub parked: bool,
}

impl Projector {
    /// Waits until a read model has every event up to `min_position`, and not longer than `bound`. What is
    /// read after that is at least as new as the answer says.
    ///
    /// An account that is parked is as old as its first event that could not be applied, however long one
    /// waits.
    ///
    /// # Errors
    /// When there is no such read model, or the database cannot answer.
    pub async fn wait_for(
        &self,
        projection: &str,
        shard: Shard,
        account: Option<&AccountId>,
        min_position: Position,
        bound: Duration,
    ) -> Result<AsOf, ProjectorError> {
        let name = self.find(projection)?.name();
        let known = self.progress.get(&(name, shard));
        let known = known.ok_or_else(|| ProjectorError::Unknown { projection: projection.to_owned() })?;
        let mut changes = known.subscribe();
        let deadline = Instant::now() + bound;
        let mut waiting = None;
        loop {
            let seen = changes.borrow_and_update().clone();
            let progress = if seen.leads { seen } else { self.look(name, shard).await? };
            let parked = account.and_then(|account| progress.parked.get(account.as_str())).copied();
            let position = parked.map_or(progress.position, |at| at.saturating_sub(1).min(progress.position));
            let reached = position >= min_position.0;
            if reached || parked.is_some() || Instant::now() >= deadline {
                let lag_ms = self.lag_ms(shard, Position(position)).await?;
                return Ok(AsOf { position: Position(position), lag_ms, reached, parked: parked.is_some() });
            }
            let _waiting = waiting.get_or_insert_with(|| self.wake.wait());
            // Either way the next turn looks again.
            let until = deadline.min(Instant::now() + LOOK_EVERY);
            let _: Result<_, _> = tokio::time::timeout_at(until, changes.changed()).await;
        }
    }

    async fn look(&self, projection: &'static str, shard: Shard) -> Result<FollowerProgress, ProjectorError> {
        let mut connection = self.pool.acquire().await?;
        let version = checkpoint::live_version(&mut connection, projection).await?;
        let found = checkpoint::read(&mut connection, CheckpointId { projection, version, shard }).await?;
        let checkpoint = found.unwrap_or_default();
        Ok(FollowerProgress { leads: false, position: checkpoint.position, parked: checkpoint.parked })
    }

    /// The age of the first event after `position`, in milliseconds; 0 when there is none.
    pub(super) async fn lag_ms(&self, shard: Shard, position: Position) -> Result<i64, sqlx::Error> {
        let recorded_at: Option<chrono::DateTime<chrono::Utc>> =
            sqlx::query_scalar(include_str!("first_waiting.sql"))
                .bind(shard.0)
                .bind(position.0)
                .fetch_optional(&self.pool)
                .await?;
        Ok(recorded_at.map_or(0, |at| {
            let age = self.clock.now().micros().saturating_sub(Timestamp::from(at).micros());
            age.max(0).div_euclid(1_000)
        }))
    }
}
