//! How much of the database do followers use while the ledger is busy? A share, so that commands are answered as fast.
//!
//! After a step, all followers rest for a multiple of the time that it took, and of the number of shards on which there
//! is something to do: each shard has its own steps. The longer they rest, the more events the next step has, and the
//! less each of them costs. They begin their next steps at the same time, so that what one of
//! them has read from the journal is there for the others.
//!
//! Nobody rests when nothing was appended meanwhile: history is gone through as fast as the database can.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// The longest rest.
pub(super) const REST_MAX: Duration = Duration::from_secs(2);
/// Followers that are further behind, in milliseconds, rest less, so that they catch up under load too.
const LAG_MAX_MS: u32 = 2_500;

/// What else is asked for when a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pressure {
    /// The age of the last event that was handled, in milliseconds.
    pub lag_ms: u32,
    /// Whether callers wait for something to be handled.
    pub is_awaited: bool,
    /// On how many shards this process has something to do.
    pub shards: u32,
}

impl Pressure {
    /// How long to rest after a step that took so long.
    pub fn rest(self, step: Duration) -> Duration {
        let times = if self.is_awaited || self.lag_ms > LAG_MAX_MS { 1 } else { 3 };
        step.saturating_mul(times).saturating_mul(self.shards.max(1)).min(REST_MAX)
    }
}

/// When the next steps begin. Shared by all followers of a process.
#[derive(Clone)]
pub(super) struct FollowerPace {
    next: Arc<watch::Sender<Instant>>,
    /// How many followers have something to do, and those of them that rest meanwhile.
    working: Arc<AtomicU32>,
}

/// A follower that has something to do, until this is dropped.
pub(super) struct AtWork(Arc<AtomicU32>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for FollowerPace {
    fn default() -> Self {
        Self { next: Arc::new(watch::Sender::new(Instant::now())), working: Arc::default() }
    }
}

impl FollowerPace {
    pub fn begin(&self) -> AtWork {
        self.working.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(&self.working))
    }

    pub fn working(&self) -> u32 {
        self.working.load(Ordering::Relaxed)
    }

    /// Rests until `at`, or until later if another follower has more to rest meanwhile.
    pub async fn rest_until(&self, at: Instant) {
        self.next.send_if_modified(|next| {
            let is_later = at > *next;
            *next = at.max(*next);
            is_later
        });
        let mut changes = self.next.subscribe();
        loop {
            let next = *changes.borrow_and_update();
            // A rest that another one made longer goes on; one that is over does not begin again.
            if tokio::time::timeout_at(next, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}
