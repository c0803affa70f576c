//! The batches of one shard that were decoded last, and who still needs them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::{
    sync::{Mutex as AsyncMutex, Notify},
    task::JoinHandle,
};

use crate::{
    domain::recorded::{Position, Shard},
    journal::append,
};

use super::{BATCH_EVENTS_MAX, FeedBatch, FeedEntry, FeedError, range};

/// How many decoded events are kept, about 1 KB each.
const SHELF_EVENTS_MAX: usize = 80_000;
/// How long readers wait for one that is behind, before they go on without it.
const SLOW_READER_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct BatchCache {
    pool: PgPool,
    shard: Shard,
    /// Held by whoever reads from the database, with what is being read ahead.
    source: AsyncMutex<Option<ReadAhead>>,
    contents: Mutex<CachedContents>,
    moved: Notify,
}

#[derive(Debug)]
struct ReadAhead {
    after: i64,
    task: JoinHandle<Result<Vec<FeedEntry>, FeedError>>,
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Default)]
struct CachedContents {
    batches: VecDeque<CachedBatch>,
    readers: BTreeMap<u64, ReaderPosition>,
    readers_ever: u64,
}

#[derive(Clone, Debug)]
struct CachedBatch {
    /// The position before the first entry, and that of the last one.
    after: i64,
    last: i64,
    entries: Arc<[FeedEntry]>,
}

#[derive(Clone, Copy, Debug)]
struct ReaderPosition {
    after: i64,
    /// Nobody waits for it.
    lagging: bool,
}

impl BatchCache {
    pub fn new(pool: PgPool, shard: Shard) -> Self {
        Self { pool, shard, source: AsyncMutex::default(), contents: Mutex::default(), moved: Notify::new() }
    }

    fn contents(&self) -> MutexGuard<'_, CachedContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn enter(&self) -> u64 {
        let mut contents = self.contents();
        contents.readers_ever = contents.readers_ever.saturating_add(1);
        contents.readers_ever
    }

    pub fn leave(&self, number: u64) {
        self.contents().readers.remove(&number);
        self.moved.notify_waiters();
    }

    pub async fn after(&self, number: u64, position: Position) -> Result<FeedBatch, FeedError> {
        self.contents().place(number, position.0);
        self.moved.notify_waiters();
        if let Some(batch) = self.contents().find(position.0) {
            return Ok(batch);
        }
        let mut source = self.source.lock().await;
        // Someone else may have read it while this one waited.
        if let Some(batch) = self.contents().find(position.0) {
            return Ok(batch);
        }
        self.make_room().await;
        let entries = self.read(&mut source, position.0).await?;
        if entries.is_empty() {
            self.check_end(position).await?;
            return Ok(FeedBatch { entries: Arc::new([]), from: 0 });
        }
        let batch = self.contents().put(position.0, entries.into());
        if batch.last == border(position.0) {
            let task = tokio::spawn(fetch(self.pool.clone(), self.shard, batch.last));
            *source = Some(ReadAhead { after: batch.last, task });
        }
        Ok(FeedBatch { entries: batch.entries, from: 0 })
    }

    async fn read(&self, source: &mut Option<ReadAhead>, after: i64) -> Result<Vec<FeedEntry>, FeedError> {
        if let Some(mut ahead) = source.take_if(|ahead| ahead.after == after) {
            let entries = (&mut ahead.task).await.map_err(|_| FeedError::Interrupted)??;
            // What was read ahead was the journal's end then, and may not be any more.
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        fetch(self.pool.clone(), self.shard, after).await
    }

    /// Events are never taken away, so an empty answer is the end, or else a fault.
    async fn check_end(&self, position: Position) -> Result<(), FeedError> {
        let head = append::head(&mut *self.pool.acquire().await?, self.shard).await?;
        let next = position.0.saturating_add(1);
        if head.0 < next {
            return Ok(());
        }
        // The event may have come between the two questions.
        let known: bool = sqlx::query_scalar(include_str!("is_any_there.sql"))
            .bind(self.shard.0)
            .bind(next)
            .bind(border(position.0))
            .fetch_one(&self.pool)
            .await?;
        if known { Ok(()) } else { Err(FeedError::Missing(Position(next))) }
    }

    /// Waits until the oldest batch is not needed any more, or for as long as the others have patience.
    async fn make_room(&self) {
        let deadline = tokio::time::Instant::now() + SLOW_READER_WAIT;
        loop {
            let moved = self.moved.notified();
            if self.contents().drop_unneeded() {
                return;
            }
            if tokio::time::timeout_at(deadline, moved).await.is_err() {
                self.contents().mark_lagging();
                return;
            }
        }
    }
}

impl CachedContents {
    /// Who was left behind and comes again for the same events still stands still.
    fn place(&mut self, number: u64, after: i64) {
        let place = self.readers.entry(number).or_insert(ReaderPosition { after, lagging: false });
        if place.after != after {
            *place = ReaderPosition { after, lagging: false };
        }
    }

    fn find(&self, after: i64) -> Option<FeedBatch> {
        let shelved = self.batches.iter().find(|batch| batch.after <= after && after < batch.last)?;
        let from = shelved.entries.partition_point(|entry| entry.position().0 <= after);
        Some(FeedBatch { entries: Arc::clone(&shelved.entries), from })
    }

    fn put(&mut self, after: i64, entries: Arc<[FeedEntry]>) -> CachedBatch {
        let last = entries.last().map_or(after, |entry| entry.position().0);
        let shelved = CachedBatch { after, last, entries };
        // What everyone has read is not kept: at the journal's end nobody goes back.
        let kept: VecDeque<_> = self.batches.iter().filter(|batch| self.is_needed(batch)).cloned().collect();
        self.batches = kept;
        self.batches.push_back(shelved.clone());
        shelved
    }

    /// Whether there is room for another batch, after what nobody needs was dropped, the oldest first.
    fn drop_unneeded(&mut self) -> bool {
        while self.is_full() {
            let unneeded = self.batches.iter().position(|batch| !self.is_needed(batch));
            let Some(index) = unneeded else { return false };
            self.batches.remove(index);
        }
        true
    }

    fn is_full(&self) -> bool {
        let kept: usize = self.batches.iter().map(|batch| batch.entries.len()).sum();
        kept.saturating_add(usize::try_from(BATCH_EVENTS_MAX).unwrap_or(usize::MAX)) > SHELF_EVENTS_MAX
    }

    /// A reader that is further back than the shelf is long reads for itself, and keeps nothing here.
    fn is_needed(&self, batch: &CachedBatch) -> bool {
        let length = i64::try_from(SHELF_EVENTS_MAX).unwrap_or(i64::MAX);
        let near = batch.after.saturating_sub(length)..batch.last;
        self.readers.values().any(|place| !place.lagging && near.contains(&place.after))
    }

    /// Gives up the readers that need the oldest batch, and the batch.
    fn mark_lagging(&mut self) {
        let Some(oldest) = self.batches.pop_front() else { return };
        for place in self.readers.values_mut().filter(|place| place.after < oldest.last) {
            place.lagging = true;
        }
    }
}

/// The last position of the aligned range that follows `after`.
const fn border(after: i64) -> i64 {
    after.div_euclid(BATCH_EVENTS_MAX).saturating_add(1).saturating_mul(BATCH_EVENTS_MAX)
}

async fn fetch(pool: PgPool, shard: Shard, after: i64) -> Result<Vec<FeedEntry>, FeedError> {
    range(&pool, shard, after, border(after)).await
}
