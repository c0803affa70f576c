//! How do several readers read events in order, if most of them are at the same place?
//!
//! What this process has just appended is handed to its readers in memory ([`Feed::hand_over`]).
//! For the rest, each shard has a cache of the batches that were decoded last.
//! A reader finds the events after a position there, or reads the next batch from the database for all readers.
//! While a batch is being used, the next one is read ahead.
//! Readers that go through history together wait a moment for the slowest of them, so that a batch is decoded only
//! once; the others go on without one that makes no progress.

mod batch_cache;
mod decode;
mod fresh;
#[cfg(test)]
#[path = "../../tests/unit/journal/fresh.rs"]
mod fresh_laws;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use sqlx::{PgPool, Postgres, Row, pool::PoolConnection};

use super::append;
use super::shards;
use crate::domain::recorded::{JournalPositions, Position, RecordedEvent, Shard};
use crate::domain::time::Timestamp;
use batch_cache::BatchCache;
pub use fresh::{FreshEvent, StoredCommand};

/// Ranges are aligned to this many positions, so that readers that started at different places meet at the next border.
pub const BATCH_EVENTS_MAX: i64 = 20_000;

/// An event, or one that cannot be read. Small: an event that this process appended is shared with the answer to its
/// caller.
#[derive(Clone, Debug)]
pub enum FeedEntry {
    Readable(Box<RecordedEvent>),
    /// As this process has appended it.
    Fresh(FreshEvent),
    Unreadable(Box<UnreadableEvent>),
}

/// A stored event that this release does not understand, or that was damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event at position {} cannot be read: {reason}", .position.0)]
pub struct UnreadableEvent {
    pub position: Position,
    /// The stored text, which may itself be what cannot be read.
    pub account: String,
    pub sequence: i64,
    pub reason: String,
}

impl FeedEntry {
    /// The event.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn event(&self) -> Result<&RecordedEvent, &UnreadableEvent> {
        match self {
            Self::Readable(recorded) => Ok(recorded),
            Self::Fresh(fresh) => Ok(fresh.event()),
            Self::Unreadable(unreadable) => Err(unreadable),
        }
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.event().map_or_else(|unreadable| unreadable.position, |recorded| recorded.position)
    }

    /// `None`: the event cannot be read.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.event().ok().map(|recorded| recorded.recorded_at)
    }

    #[must_use]
    pub fn account(&self) -> &str {
        self.event().map_or_else(|unreadable| &*unreadable.account, |recorded| recorded.account.as_str())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("the journal cannot be read")]
    Database(#[from] sqlx::Error),
    /// The answer is not in the format of `copy`, which no single event can cause.
    #[error("the answer to the journal's query does not have the expected form")]
    Malformed,
    /// Positions have no gaps, so events were removed.
    #[error("the journal has no event at position {}", .0.0)]
    Missing(Position),
    #[error("reading the next events was interrupted")]
    Interrupted,
}

/// Consecutive events of one shard.
#[derive(Clone, Debug)]
pub struct FeedBatch {
    entries: Arc<[FeedEntry]>,
    from: usize,
}

impl FeedBatch {
    /// Empty at the end of the journal.
    #[must_use]
    pub fn entries(&self) -> &[FeedEntry] {
        self.entries.get(self.from..).unwrap_or_default()
    }
}

/// The journal, for readers. Clones share the cache.
#[derive(Clone, Debug)]
pub struct Feed {
    pool: PgPool,
    shelves: Arc<Mutex<BTreeMap<Shard, Arc<BatchCache>>>>,
}

impl Feed {
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, shelves: Arc::default() }
    }

    /// A reader that goes through the shard's events in order.
    #[must_use]
    pub fn reader(&self, shard: Shard) -> FeedReader {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf =
            shelves.entry(shard).or_insert_with(|| Arc::new(BatchCache::new(self.pool.clone(), shard)));
        FeedReader { number: shelf.enter(), shelf: Arc::clone(shelf) }
    }

    /// Gives readers what this process has stored, in the order of positions. Without readers, nothing is kept.
    pub fn hand_over(&self, shard: Shard, commands: impl Iterator<Item = StoredCommand>) {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = shelves.get(&shard) {
            shelf.hand_over(commands, fresh::of_each(shelves.len()));
        }
    }

    /// The shards of this database.
    ///
    /// # Errors
    /// If the database does not answer, or a shard is missing.
    pub async fn shards(&self) -> Result<Vec<Shard>, sqlx::Error> {
        shards::numbers(&mut *self.pool.acquire().await?).await
    }

    /// The position of the shard's last event.
    ///
    /// # Errors
    /// If the database does not answer, or there is no such shard.
    pub async fn head(&self, shard: Shard) -> Result<Position, sqlx::Error> {
        append::head(&mut *self.pool.acquire().await?, shard).await
    }

    /// The position of the last event of each shard.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn heads(&self) -> Result<JournalPositions, sqlx::Error> {
        shards::heads(&mut *self.pool.acquire().await?).await
    }

    /// The events of one account from one position up to another, at most `limit`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of_account(
        &self,
        shard: Shard,
        account: &str,
        from: Position,
        to: Position,
        limit: i64,
    ) -> Result<Vec<FeedEntry>, FeedError> {
        let positions: Vec<i64> = sqlx::query(include_str!("positions_of_account.sql"))
            .bind(shard.0)
            .bind(account)
            .bind(from.0)
            .bind(to.0)
            .bind(limit)
            .try_map(|row: sqlx::postgres::PgRow| row.try_get(0))
            .fetch_all(&self.pool)
            .await?;
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let positions: Vec<String> = positions.iter().map(i64::to_string).collect();
        let statement = include_str!("events_at.sql").replace("POSITIONS", &positions.join(", "));
        read(&self.pool, shard, &statement).await
    }
}

/// A place in a shard's events. If it is dropped, the other readers no longer wait for it.
#[derive(Debug)]
pub struct FeedReader {
    number: u64,
    shelf: Arc<BatchCache>,
}

impl FeedReader {
    /// Some of the events after a position; none only at the end of the journal.
    ///
    /// # Errors
    /// If the database does not answer, or events are missing.
    /// An event that cannot be read is not an error here, but a [`FeedEntry::Unreadable`] in its place.
    pub async fn after(&mut self, position: Position) -> Result<FeedBatch, FeedError> {
        self.shelf.after(self.number, position).await
    }
}

impl Drop for FeedReader {
    fn drop(&mut self) {
        self.shelf.leave(self.number);
    }
}

/// Reads the events with positions in `after + 1 ..= to`.
async fn range(pool: &PgPool, shard: Shard, after: i64, to: i64) -> Result<Vec<FeedEntry>, FeedError> {
    let statement = include_str!("events_between.sql");
    let statement = statement.replace("AFTER", &after.to_string()).replace("UNTIL", &to.to_string());
    read(pool, shard, &statement).await
}

/// Reads by `copy`, because the driver's rows cost more than decoding their contents.
/// `copy` has no parameters, so numbers replace the words in capitals.
async fn read(pool: &PgPool, shard: Shard, statement: &str) -> Result<Vec<FeedEntry>, FeedError> {
    let statement = statement.replace("SHARD", &shard.0.to_string());
    let bytes = Copying::begin(pool).await?.read(&statement).await?;
    tokio::task::spawn_blocking(move || decode::entries(&bytes, shard))
        .await
        .map_err(|_| FeedError::Interrupted)?
}

/// A connection while it copies.
/// If its copy failed or was aborted it is closed: the driver does not track the end of that answer, and would take it
/// for the end of the next one.
struct Copying {
    connection: PoolConnection<Postgres>,
    ended: bool,
}

impl Copying {
    async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: pool.acquire().await?, ended: false })
    }

    async fn read(mut self, statement: &str) -> Result<Bytes, sqlx::Error> {
        let mut bytes = BytesMut::new();
        #[expect(clippy::disallowed_methods, reason = "a connection whose copy did not end is closed")]
        let mut chunks = self.connection.copy_out_raw(statement).await?;
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        drop(chunks);
        self.ended = true;
        Ok(bytes.freeze())
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}
