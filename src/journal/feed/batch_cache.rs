//! Which batches of a shard were decoded last, and which readers still need them?

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

use super::{
    BATCH_EVENTS_MAX, FeedBatch, FeedEntry, FeedError,
    fresh::{FreshEvents, StoredCommand},
    range,
};

/// How many decoded events are kept of each shard, about 1 KB each. Only readers that are far behind need them.
const SHELF_EVENTS_MAX: usize = 60_000;
/// How long readers wait for a slower one before they go on without it.
const SLOW_READER_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct BatchCache {
    pool: PgPool,
    shard: Shard,
    /// Locked while somebody reads from the database, with what is being read ahead.
    source: AsyncMutex<Option<ReadAhead>>,
    fresh: Mutex<FreshEvents>,
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
    /// The other readers do not wait for it.
    lagging: bool,
}

impl BatchCache {
    pub fn new(pool: PgPool, shard: Shard) -> Self {
        Self {
            pool,
            shard,
            source: AsyncMutex::default(),
            fresh: Mutex::default(),
            contents: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// At most `most` events are kept.
    pub fn hand_over(&self, commands: impl Iterator<Item = StoredCommand>, most: usize) {
        let read = self.contents().slowest();
        let mut fresh = self.fresh();
        read.into_iter().for_each(|read| fresh.forget(read));
        fresh.put(commands, most);
    }

    fn fresh(&self) -> MutexGuard<'_, FreshEvents> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
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
        // Another reader may have read it while this one waited.
        if let Some(batch) = self.contents().find(position.0) {
            return Ok(batch);
        }
        self.make_room().await;
        let entries = self.read(&mut source, position.0).await?;
        if entries.is_empty() {
            self.check_end(position).await?;
            self.contents().drop_read();
            return Ok(FeedBatch { entries: Arc::new([]), from: 0 });
        }
        let batch = self.contents().put(position.0, entries.into());
        // What is read ahead may be what this process has appended by then.
        if batch.last == border(position.0) && !self.is_fresh(batch.last) {
            let task = tokio::spawn(fetch(self.pool.clone(), self.shard, batch.last));
            *source = Some(ReadAhead { after: batch.last, task });
        }
        Ok(FeedBatch { entries: batch.entries, from: 0 })
    }

    async fn read(&self, source: &mut Option<ReadAhead>, after: i64) -> Result<Vec<FeedEntry>, FeedError> {
        let fresh = self.fresh().after(Position(after), border(after));
        if let Some(entries) = fresh {
            return Ok(entries);
        }
        if let Some(mut ahead) = source.take_if(|ahead| ahead.after == after) {
            let entries = (&mut ahead.task).await.map_err(|_| FeedError::Interrupted)??;
            // What was read ahead was the end of the journal at that time, and may not be any more.
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        fetch(self.pool.clone(), self.shard, after).await
    }

    fn is_fresh(&self, after: i64) -> bool {
        self.fresh().after(Position(after), after).is_some()
    }

    /// Events are never removed, so an empty answer is either the end of the journal or a fault.
    async fn check_end(&self, position: Position) -> Result<(), FeedError> {
        let head = append::head(&mut *self.pool.acquire().await?, self.shard).await?;
        let next = position.0.saturating_add(1);
        if head.0 < next {
            return Ok(());
        }
        // The event may have been stored between the two queries.
        let known: bool = sqlx::query_scalar(include_str!("is_any_there.sql"))
            .bind(self.shard.0)
            .bind(next)
            .bind(border(position.0))
            .fetch_one(&self.pool)
            .await?;
        if known { Ok(()) } else { Err(FeedError::Missing(Position(next))) }
    }

    /// Waits until the oldest batch is no longer needed, at most for [`SLOW_READER_WAIT`].
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
    /// A lagging reader that asks for the same events again makes no progress, and stays lagging.
    fn place(&mut self, number: u64, after: i64) {
        let place = self.readers.entry(number).or_insert(ReaderPosition { after, lagging: false });
        if place.after != after {
            *place = ReaderPosition { after, lagging: false };
        }
    }

    /// Up to where all readers have read. `None`: there are none.
    fn slowest(&self) -> Option<Position> {
        self.readers.values().map(|place| Position(place.after)).min()
    }

    fn find(&self, after: i64) -> Option<FeedBatch> {
        let shelved = self.batches.iter().find(|batch| batch.after <= after && after < batch.last)?;
        let from = shelved.entries.partition_point(|entry| entry.position().0 <= after);
        Some(FeedBatch { entries: Arc::clone(&shelved.entries), from })
    }

    fn put(&mut self, after: i64, entries: Arc<[FeedEntry]>) -> CachedBatch {
        let last = entries.last().map_or(after, |entry| entry.position().0);
        let shelved = CachedBatch { after, last, entries };
        self.drop_read();
        self.batches.push_back(shelved.clone());
        shelved
    }

    /// What all readers have read is not kept: at the end of the journal nobody goes back.
    fn drop_read(&mut self) {
        self.batches = self.batches.iter().filter(|batch| self.is_needed(batch)).cloned().collect();
    }

    /// Drops batches that no reader needs, oldest first. Returns whether there is room for another one.
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

    /// A reader that is too far back for the cache reads by itself, and needs nothing here.
    fn is_needed(&self, batch: &CachedBatch) -> bool {
        let length = i64::try_from(SHELF_EVENTS_MAX).unwrap_or(i64::MAX);
        let near = batch.after.saturating_sub(length)..batch.last;
        self.readers.values().any(|place| !place.lagging && near.contains(&place.after))
    }

    /// Marks the readers that need the oldest batch as lagging, and drops the batch.
    fn mark_lagging(&mut self) {
        let Some(oldest) = self.batches.pop_front() else { return };
        for place in self.readers.values_mut().filter(|place| place.after < oldest.last) {
            place.lagging = true;
        }
    }
}

/// The last position of the aligned range after `after`.
const fn border(after: i64) -> i64 {
    after.div_euclid(BATCH_EVENTS_MAX).saturating_add(1).saturating_mul(BATCH_EVENTS_MAX)
}

async fn fetch(pool: PgPool, shard: Shard, after: i64) -> Result<Vec<FeedEntry>, FeedError> {
    range(&pool, shard, after, border(after)).await
}
