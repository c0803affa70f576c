//! How old is an answer, and how does a caller wait for a newer one?

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    clock::Clock,
    domain::{
        ids::AccountId,
        recorded::{Position, Shard},
        time::Timestamp,
    },
};

use super::{
    Consumers,
    checkpoint::{self, Checkpoint, CheckpointId},
    contract::Consumer,
    error::ConsumerError,
    worker::Worker,
};

/// How often a process that does not lead looks at the checkpoint while someone waits.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// The last known progress of a follower. Only the leader's is current.
#[derive(Clone, Debug, Default)]
pub(super) struct FollowerProgress {
    pub leads: bool,
    pub position: i64,
    pub parked: Arc<BTreeMap<String, i64>>,
    /// When the last event that was handled was recorded, while there are more to come.
    pub behind_since: Option<Timestamp>,
    /// Whether nothing was left to handle at that position.
    pub is_at_end: bool,
}

impl FollowerProgress {
    pub fn of(worker: &Worker, is_at_end: bool) -> Self {
        let behind_since = worker.behind_since;
        Self { leads: true, behind_since, is_at_end, ..Self::of_checkpoint(&worker.checkpoint) }
    }

    fn of_checkpoint(checkpoint: &Checkpoint) -> Self {
        let parked = Arc::clone(&checkpoint.parked);
        Self { position: checkpoint.position, parked, ..Self::default() }
    }

    /// Whether it waits though there is more. Who is on the way there is not called: it would rest.
    pub const fn has_missed(&self, head: Position) -> bool {
        self.is_at_end && self.position < head.0
    }

    /// The age of the last event that was handled, while there are more to come.
    pub fn lag_ms(&self, clock: &Clock) -> u32 {
        self.behind_since.map_or(0, |at| {
            let age = clock.now().micros().saturating_sub(at.micros());
            u32::try_from(age.max(0).div_euclid(1_000)).unwrap_or(u32::MAX)
        })
    }
}

/// How old an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// Every event up to here is in the answer.
    pub position: Position,
    /// The age of the oldest event that is not in the answer, in milliseconds; 0 when all are.
    pub lag_ms: i64,
    /// Whether the answer is as new as the caller asked for.
    pub reached: bool,
    /// The account has an event that could not be handled: it and the later ones are not in the answer.
    pub parked: bool,
}

impl Consumers {
    /// Waits until a consumer has every event up to `min_position`, and not longer than `bound`. What is
    /// read after that is at least as new as the answer says.
    ///
    /// An account that is parked is as old as its first event that could not be handled, however long one
    /// waits.
    ///
    /// # Errors
    /// If there is no such consumer, or the database does not answer.
    pub async fn wait_for(
        &self,
        consumer: &str,
        shard: Shard,
        account: Option<&AccountId>,
        min_position: Position,
        bound: Duration,
    ) -> Result<AsOf, ConsumerError> {
        let consumer = &**self.find(consumer)?;
        let known = self.progress.get(&(consumer.name(), shard)).zip(self.bells.of(shard));
        let (known, bell) =
            known.ok_or_else(|| ConsumerError::Unknown { consumer: consumer.name().to_owned() })?;
        let mut changes = known.subscribe();
        let deadline = Instant::now() + bound;
        let mut waiting = None;
        loop {
            let seen = changes.borrow_and_update().clone();
            let progress = if seen.leads {
                seen
            } else {
                FollowerProgress::of_checkpoint(&self.look(consumer, shard).await?)
            };
            let parked = account.and_then(|account| progress.parked.get(account.as_str())).copied();
            let position = parked.map_or(progress.position, |at| at.saturating_sub(1).min(progress.position));
            let reached = position >= min_position.0;
            if reached || parked.is_some() || Instant::now() >= deadline {
                let lag_ms = self.lag_ms(shard, Position(position)).await?;
                return Ok(AsOf { position: Position(position), lag_ms, reached, parked: parked.is_some() });
            }
            let _waiting = waiting.get_or_insert_with(|| bell.wait());
            // Either way the next turn looks again.
            let until = deadline.min(Instant::now() + LOOK_EVERY);
            let _: Result<_, _> = tokio::time::timeout_at(until, changes.changed()).await;
        }
    }

    /// How far a consumer is, whichever process leads it. Without a checkpoint, it is before the first event.
    ///
    /// # Errors
    /// If there is no such consumer, or the database does not answer.
    pub async fn checkpoint(&self, consumer: &str, shard: Shard) -> Result<Checkpoint, ConsumerError> {
        Ok(self.look(&**self.find(consumer)?, shard).await?)
    }

    async fn look(&self, consumer: &dyn Consumer, shard: Shard) -> Result<Checkpoint, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let pass = consumer.current_pass(&mut connection).await?;
        let place = CheckpointId { consumer: consumer.name(), pass, shard };
        Ok(checkpoint::read(&mut connection, place).await?.unwrap_or_default())
    }

    /// The age of the first event after `position`, in milliseconds; 0 when there is none.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn lag_ms(&self, shard: Shard, position: Position) -> Result<i64, sqlx::Error> {
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
