//! How much of the database do followers use while the ledger is busy? A share, so that commands are answered as fast.
//!
//! After a step, all followers rest for a multiple of the time that all steps took since they rested last: those of all
//! consumers, on all shards. The longer they rest, the more events the next steps have, and the less each of them
//! costs. They begin their next steps at the same time, so that what one of them has read from the journal is there for
//! the others.
//!
//! Nobody rests when nothing was appended meanwhile: history is gone through as fast as the database can.
//! Nor does a follower that is behind by more than a step: its next step has as many events as a step can have already,
//! so that a rest saves nothing, and only makes it later.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// The longest rest.
pub(super) const REST_MAX: Duration = Duration::from_secs(2);
/// Followers that are further behind after a step, in milliseconds, do not rest, so that they catch up under load too.
const LAG_MAX_MS: u32 = 1_500;

/// Followers of which none was at work for so long had nothing to do.
const IDLE_MIN: Duration = Duration::from_millis(20);

/// What else is asked for when a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pressure {
    /// The age of the last event that was handled, in milliseconds.
    pub lag_ms: u32,
    /// Whether callers wait for something to be handled.
    pub is_awaited: bool,
}

impl Pressure {
    /// How long to rest after steps that used the database for so long.
    pub fn rest(self, used: Duration) -> Duration {
        let times = match self {
            Self { lag_ms, .. } if lag_ms > LAG_MAX_MS => 0,
            Self { is_awaited: true, .. } => 1,
            Self { .. } => 3,
        };
        used.saturating_mul(times).min(REST_MAX)
    }
}

/// When the next steps begin. Shared by all followers of a process.
#[derive(Clone)]
pub(super) struct FollowerPace {
    next: Arc<watch::Sender<Instant>>,
    steps: Arc<Mutex<StepTimes>>,
    /// How many steps run at the same time.
    at_once: u32,
}

/// How long the steps took, all together, that began since all of them paused.
struct StepTimes {
    rested_until: Instant,
    /// When the last of them ended.
    ended: Instant,
    took: Duration,
}

impl FollowerPace {
    pub fn new(steps_at_once: usize) -> Self {
        let now = Instant::now();
        let steps = StepTimes { rested_until: now, ended: now, took: Duration::ZERO };
        let at_once = u32::try_from(steps_at_once).unwrap_or(u32::MAX).max(1);
        Self { next: Arc::new(watch::Sender::new(now)), steps: Arc::new(Mutex::new(steps)), at_once }
    }

    /// Adds a step. Returns for how long the followers have used the database since they rested or had nothing to do,
    /// if always as many steps ran as may run at the same time.
    pub fn add(&self, begun: Instant, took: Duration) -> Duration {
        let rested_until = *self.next.borrow();
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let is_after_rest = begun >= rested_until && steps.rested_until != rested_until;
        if is_after_rest || begun.saturating_duration_since(steps.ended) > IDLE_MIN {
            *steps = StepTimes { rested_until, ended: begun, took: Duration::ZERO };
        }
        steps.ended = steps.ended.max(begun + took);
        steps.took = steps.took.saturating_add(took);
        steps.took.checked_div(self.at_once).unwrap_or(took)
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
