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
const REST_MAX: Duration = Duration::from_secs(2);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_takes_a_quarter_of_the_time_and_half_when_it_is_late_or_waited_for() {
        let step = Duration::from_millis(40);
        let calm = Pressure { lag_ms: 100, is_awaited: false };
        assert_eq!(calm.rest(step), step * 3);
        assert_eq!(Pressure { is_awaited: true, ..calm }.rest(step), step);
        assert_eq!(Pressure { lag_ms: 5_000, ..calm }.rest(step), step);
        assert_eq!(calm.rest(Duration::from_secs(9)), REST_MAX);
    }

    #[tokio::test]
    async fn all_go_on_when_the_longest_rest_is_over() {
        let pace = FollowerPace::default();
        let begun = Instant::now();
        let rest = |millis| {
            let pace = pace.clone();
            async move {
                pace.rest_until(begun + Duration::from_millis(millis)).await;
                begun.elapsed() >= Duration::from_millis(150)
            }
        };
        assert_eq!(tokio::join!(rest(10), rest(150), rest(0)), (true, true, true));
    }
}
