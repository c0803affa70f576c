//! How much of the database do followers use while the ledger is busy? A share, so that commands are answered as fast.
//!
//! After a step, all followers rest for a multiple of the time that it took. The longer they rest, the more events the
//! next step has, and the less each of them costs. They begin their next steps at the same time, so that what one of
//! them has read from the journal is there for the others.
//!
//! Nobody rests when nothing was appended meanwhile: history is gone through as fast as the database can.

use std::{sync::Arc, time::Duration};

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
}

impl Pressure {
    /// How long to rest after a step that took so long.
    pub fn rest(self, step: Duration) -> Duration {
        let times = if self.is_awaited || self.lag_ms > LAG_MAX_MS { 1 } else { 3 };
        step.saturating_mul(times).min(REST_MAX)
    }
}

/// When the next steps begin. Shared by all followers of a process.
#[derive(Clone)]
pub(super) struct FollowerPace(Arc<watch::Sender<Instant>>);

impl Default for FollowerPace {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Instant::now())))
    }
}

impl FollowerPace {
    /// Rests until `at`, or until later if another follower has more to rest meanwhile.
    pub async fn rest_until(&self, at: Instant) {
        self.0.send_if_modified(|next| {
            let is_later = at > *next;
            *next = at.max(*next);
            is_later
        });
        let mut changes = self.0.subscribe();
        loop {
            let next = *changes.borrow_and_update();
            // A rest that another one made longer goes on; one that is over does not begin again.
            if tokio::time::timeout_at(next, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}
