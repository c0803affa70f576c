//! What is one step of a consumer? It reads what comes next, handles it and moves the checkpoint, all or nothing.

use std::sync::Arc;

use sqlx::PgConnection;

use crate::{
    domain::{
        recorded::{Position, RecordedEvent},
        time::Timestamp,
    },
    journal::feed::{FeedEntry, FeedReader},
};

use super::{
    Consumers,
    checkpoint::{self, Checkpoint, CheckpointId, Commit},
    contract::{Consumer, FailureRule},
    error::{ConsumerError, ConsumerFault},
};

/// With more parked accounts than this, single events are not the cause, and the consumer stops.
const PARKED_ACCOUNTS_MAX: usize = 1_000;

/// One pass of one consumer, on its way through one shard.
pub struct Worker {
    consumers: Consumers,
    consumer: Arc<dyn Consumer>,
    pub(super) place: CheckpointId,
    pub(super) checkpoint: Checkpoint,
    reader: FeedReader,
    /// How many events are handled at once. It is halved while one of them fails, and doubled after a success.
    limit: usize,
    /// When the last event that was handled was recorded, while there are more to come.
    pub(super) behind_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerStep {
    Advanced,
    /// Everything that is in the journal, as far as it was asked for, is handled.
    AtHead,
    /// Nothing was handled, but the batch is smaller now: try again at once.
    Again,
    /// Someone else moved the checkpoint, or another pass counts.
    Overtaken,
    /// An event cannot be handled, and the consumer may not go on without it.
    Stopped,
}

impl Consumers {
    /// A worker that goes on from the checkpoint; `None` if there is none.
    ///
    /// # Errors
    /// If there is no such consumer, or the database does not answer.
    pub async fn worker(&self, place: CheckpointId) -> Result<Option<Worker>, ConsumerError> {
        let consumer = self.find(place.consumer)?;
        let mut connection = self.pool.acquire().await?;
        let checkpoint = checkpoint::read(&mut connection, place).await?;
        Ok(checkpoint.map(|checkpoint| Worker {
            consumers: self.clone(),
            consumer: Arc::clone(consumer),
            place,
            checkpoint,
            reader: self.feed.reader(place.shard),
            limit: usize::MAX,
            behind_since: None,
        }))
    }
}

impl Worker {
    /// How far it is.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.checkpoint.position
    }

    /// Handles the next events, up to `until`, or parks what keeps them from being handled.
    ///
    /// # Errors
    /// Only failures that may not happen again. The checkpoint must be read again then.
    pub async fn step(&mut self, until: i64) -> Result<WorkerStep, ConsumerError> {
        let batch = match self.reader.after(Position(self.checkpoint.position)).await {
            Ok(batch) => batch,
            Err(error) => return self.give_up(error.into()).await,
        };
        let entries = self.wanted(batch.entries(), until);
        let Some(last) = entries.last().map(FeedEntry::position) else {
            self.behind_since = None;
            return Ok(WorkerStep::AtHead);
        };
        let recorded_at = entries.last().and_then(FeedEntry::recorded_at);
        match self.advance(entries, last).await {
            Ok(true) => {
                self.checkpoint.position = last.0;
                self.limit = self.limit.saturating_mul(2);
                self.behind_since = recorded_at;
                Ok(WorkerStep::Advanced)
            }
            Ok(false) => Ok(WorkerStep::Overtaken),
            Err(error) => match (error.fault(), entries) {
                (ConsumerFault::Event, [entry]) => self.park(entry, error).await,
                (ConsumerFault::Event, _) => {
                    self.limit = entries.len().div_ceil(2);
                    Ok(WorkerStep::Again)
                }
                (ConsumerFault::Permanent | ConsumerFault::Transient, _) => self.give_up(error).await,
            },
        }
    }

    /// Handles everything up to `until` on the caller's transaction, in which the checkpoint moves there too. `false`
    /// if the checkpoint is not what this worker knows.
    ///
    /// # Errors
    /// If an event cannot be handled. The transaction must be rolled back then.
    pub async fn finish(&mut self, connection: &mut PgConnection, until: i64) -> Result<bool, ConsumerError> {
        if !checkpoint::advance(connection, self.place, &self.checkpoint, until, Commit::OnDisk).await? {
            return Ok(false);
        }
        while self.checkpoint.position < until {
            let batch = self.reader.after(Position(self.checkpoint.position)).await?;
            let entries = self.wanted(batch.entries(), until);
            let Some(last) = entries.last().map(FeedEntry::position) else { break };
            let events = readable(entries, |account| self.checkpoint.parked.contains_key(account))?;
            self.handle(&events, connection).await?;
            self.checkpoint.position = last.0;
        }
        Ok(true)
    }

    /// As many of the entries as are to be handled now.
    fn wanted<'a>(&self, entries: &'a [FeedEntry], until: i64) -> &'a [FeedEntry] {
        let count = entries.partition_point(|entry| entry.position().0 <= until).min(self.limit);
        entries.get(..count).unwrap_or(entries)
    }

    /// `false` if the checkpoint is not what this worker knows.
    async fn advance(&self, entries: &[FeedEntry], last: Position) -> Result<bool, ConsumerError> {
        let events = readable(entries, |account| self.checkpoint.parked.contains_key(account))?;
        let mut transaction = self.consumers.pool.begin().await?;
        if !checkpoint::advance(&mut transaction, self.place, &self.checkpoint, last.0, Commit::Soon).await? {
            return Ok(false);
        }
        self.handle(&events, &mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn handle(
        &self,
        events: &[&RecordedEvent],
        connection: &mut PgConnection,
    ) -> Result<(), ConsumerError> {
        if !events.is_empty() {
            self.consumer.handle(events, self.place.pass, connection).await?;
        }
        Ok(())
    }

    async fn park(&mut self, entry: &FeedEntry, error: ConsumerError) -> Result<WorkerStep, ConsumerError> {
        let too_many = self.checkpoint.parked.len() >= PARKED_ACCOUNTS_MAX;
        if self.consumer.on_failure() == FailureRule::Stop || too_many {
            return self.stop(&error).await;
        }
        let (position, reason) = (entry.position().0, error.reason());
        let mut transaction = self.consumers.pool.begin().await?;
        if !checkpoint::advance(&mut transaction, self.place, &self.checkpoint, position, Commit::OnDisk)
            .await?
        {
            return Ok(WorkerStep::Overtaken);
        }
        let now = self.consumers.clock.now();
        checkpoint::park(&mut transaction, self.place, entry.account(), position, &reason, now).await?;
        transaction.commit().await?;
        let consumer = self.place.consumer;
        tracing::error!(consumer, account = entry.account(), position, reason, "account parked");
        metrics::counter!("counterfoil_projection_parkings_total", "projection" => consumer).increment(1);
        // The set of parked accounts has changed.
        Ok(WorkerStep::Overtaken)
    }

    /// A permanent failure stops the consumer; any other is returned, for the caller to retry.
    async fn give_up(&self, error: ConsumerError) -> Result<WorkerStep, ConsumerError> {
        match error.fault() {
            ConsumerFault::Permanent => self.stop(&error).await,
            ConsumerFault::Transient | ConsumerFault::Event => Err(error),
        }
    }

    async fn stop(&self, error: &ConsumerError) -> Result<WorkerStep, ConsumerError> {
        let reason = error.reason();
        checkpoint::stop(&self.consumers.pool, self.place, &self.checkpoint, &reason).await?;
        tracing::error!(consumer = self.place.consumer, reason, "consumer stopped");
        Ok(WorkerStep::Stopped)
    }
}

/// The events for consumers, without those of the accounts that are `parked`.
///
/// # Errors
/// If an event of an account that is not parked cannot be read.
pub(super) fn readable(
    entries: &[FeedEntry],
    parked: impl Fn(&str) -> bool,
) -> Result<Vec<&RecordedEvent>, ConsumerError> {
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries.iter().filter(|entry| !parked(entry.account())) {
        events.push(entry.event().map_err(Clone::clone)?);
    }
    Ok(events)
}
