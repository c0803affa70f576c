//! What is one step of a read model? It reads what comes next, changes the rows and moves the checkpoint, all or
//! nothing.

use std::sync::Arc;

use sqlx::PgConnection;

use crate::{
    domain::{
        recorded::{Position, RecordedEvent},
        time::Timestamp,
    },
    journal::feed::{FeedEntry, FeedReader},
    projections::{OnFailure, Projection, Tables},
};

use super::{
    Projector,
    checkpoint::{self, Checkpoint, CheckpointId},
    error::{ProjectionFault, ProjectorError},
};

/// More parked accounts than this are no matter of single events: the read model stops.
const PARKED_ACCOUNTS_MAX: usize = 1_000;

/// One version of one read model, on its way through one shard.
pub(super) struct Worker {
    projector: Projector,
    projection: Arc<dyn Projection>,
    pub place: CheckpointId,
    pub checkpoint: Checkpoint,
    reader: FeedReader,
    /// How many events are applied at once. Halved while one among them fails, doubled when they work.
    limit: usize,
    /// When the last event that was applied was recorded, while there are more to come.
    pub behind_since: Option<Timestamp>,
    /// Nothing after this position is applied.
    pub until: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerStep {
    Advanced,
    /// Everything that is in the journal is in the tables.
    AtHead,
    /// Something was learned, nothing applied: try again at once.
    Again,
    /// Someone else moved the checkpoint, or another version is live.
    Overtaken,
    /// An event cannot be applied, and the read model may not go on without it.
    Stopped,
}

impl Worker {
    /// `None` when the version does not exist.
    pub async fn open(
        projector: &Projector,
        projection: &Arc<dyn Projection>,
        place: CheckpointId,
    ) -> Result<Option<Self>, ProjectorError> {
        let mut connection = projector.pool.acquire().await?;
        let checkpoint = checkpoint::read(&mut connection, place).await?;
        Ok(checkpoint.map(|checkpoint| Self {
            projector: projector.clone(),
            projection: Arc::clone(projection),
            place,
            checkpoint,
            reader: projector.feed.reader(place.shard),
            limit: usize::MAX,
            until: i64::MAX,
            behind_since: None,
        }))
    }

    /// Applies the next events, or parks what keeps them from being applied.
    ///
    /// # Errors
    /// Only what may work the next time. The checkpoint must be read again then.
    pub async fn step(&mut self) -> Result<WorkerStep, ProjectorError> {
        let batch = match self.reader.after(Position(self.checkpoint.position)).await {
            Ok(batch) => batch,
            Err(error) => return self.give_up(error.into()).await,
        };
        let entries = self.wanted(batch.entries());
        let Some(last) = entries.last().map(FeedEntry::position) else {
            self.behind_since = None;
            return Ok(WorkerStep::AtHead);
        };
        let recorded_at = entries.last().and_then(FeedEntry::recorded_at);
        match self.apply(entries, last).await {
            Ok(true) => {
                self.checkpoint.position = last.0;
                self.limit = self.limit.saturating_mul(2);
                self.behind_since = recorded_at;
                Ok(WorkerStep::Advanced)
            }
            Ok(false) => Ok(WorkerStep::Overtaken),
            Err(error) => match (error.fault(), entries) {
                (ProjectionFault::Event, [entry]) => self.park(entry, error).await,
                (ProjectionFault::Event, _) => {
                    self.limit = entries.len().div_ceil(2);
                    Ok(WorkerStep::Again)
                }
                (ProjectionFault::Permanent | ProjectionFault::Transient, _) => self.give_up(error).await,
            },
        }
    }

    /// Applies everything up to `until` on the caller's transaction, in which the checkpoint moves there too.
    ///
    /// # Errors
    /// When an event cannot be applied. The transaction must be rolled back then.
    pub async fn finish(&mut self, connection: &mut PgConnection, until: i64) -> Result<(), ProjectorError> {
        self.until = until;
        let start = self.checkpoint.clone();
        if !checkpoint::advance(connection, self.place, &start, until).await? {
            let reason = "its checkpoint was moved by someone else".to_owned();
            return Err(ProjectorError::RebuildStopped { reason });
        }
        while self.checkpoint.position < until {
            let batch = self.reader.after(Position(self.checkpoint.position)).await?;
            let entries = self.wanted(batch.entries());
            let Some(last) = entries.last().map(FeedEntry::position) else { break };
            let events = readable(entries, |account| self.checkpoint.parked.contains_key(account))?;
            self.change(&events, connection).await?;
            self.checkpoint.position = last.0;
        }
        Ok(())
    }

    /// As many of the entries as are to be applied now.
    fn wanted<'a>(&self, entries: &'a [FeedEntry]) -> &'a [FeedEntry] {
        let count = entries.partition_point(|entry| entry.position().0 <= self.until).min(self.limit);
        entries.get(..count).unwrap_or(entries)
    }

    /// `false` when the checkpoint is not what this worker knows.
    async fn apply(&self, entries: &[FeedEntry], last: Position) -> Result<bool, ProjectorError> {
        let events = readable(entries, |account| self.checkpoint.parked.contains_key(account))?;
        let mut transaction = self.projector.pool.begin().await?;
        if !checkpoint::advance(&mut transaction, self.place, &self.checkpoint, last.0).await? {
            return Ok(false);
        }
        self.change(&events, &mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn change(
        &self,
        events: &[&RecordedEvent],
        connection: &mut PgConnection,
    ) -> Result<(), ProjectorError> {
        if !events.is_empty() {
            let tables = Tables { version: self.place.version };
            self.projection.apply(events, tables, connection).await?;
        }
        Ok(())
    }

    async fn park(&mut self, entry: &FeedEntry, error: ProjectorError) -> Result<WorkerStep, ProjectorError> {
        let too_many = self.checkpoint.parked.len() >= PARKED_ACCOUNTS_MAX;
        if self.projection.on_failure() == OnFailure::Stop || too_many {
            return self.stop(&error).await;
        }
        let (position, reason) = (entry.position().0, error.reason());
        let mut transaction = self.projector.pool.begin().await?;
        if !checkpoint::advance(&mut transaction, self.place, &self.checkpoint, position).await? {
            return Ok(WorkerStep::Overtaken);
        }
        let now = self.projector.clock.now();
        checkpoint::park(&mut transaction, self.place, entry.account(), position, &reason, now).await?;
        transaction.commit().await?;
        let projection = self.place.projection;
        tracing::error!(projection, account = entry.account(), position, reason, "account parked");
        metrics::counter!("counterfoil_projection_parkings_total", "projection" => projection).increment(1);
        // Its parked accounts are another set now.
        Ok(WorkerStep::Overtaken)
    }

    /// A failure that will last stops the read model; any other is the caller's to retry.
    async fn give_up(&self, error: ProjectorError) -> Result<WorkerStep, ProjectorError> {
        match error.fault() {
            ProjectionFault::Permanent => self.stop(&error).await,
            ProjectionFault::Transient | ProjectionFault::Event => Err(error),
        }
    }

    async fn stop(&self, error: &ProjectorError) -> Result<WorkerStep, ProjectorError> {
        let reason = error.reason();
        checkpoint::stop(&self.projector.pool, self.place, &self.checkpoint, &reason).await?;
        tracing::error!(projection = self.place.projection, reason, "read model stopped");
        Ok(WorkerStep::Stopped)
    }
}

/// What the read models get to see, without the accounts that are `parked`.
///
/// # Errors
/// When an event of an account that is not parked cannot be read.
pub(super) fn readable(
    entries: &[FeedEntry],
    parked: impl Fn(&str) -> bool,
) -> Result<Vec<&RecordedEvent>, ProjectorError> {
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries.iter().filter(|entry| !parked(entry.account())) {
        match entry {
            FeedEntry::Readable(recorded) => events.push(recorded),
            FeedEntry::Unreadable(unreadable) => return Err(unreadable.clone().into()),
        }
    }
    Ok(events)
}
