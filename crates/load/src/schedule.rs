//! When is the next request sent, if there is one?

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How fast requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Each connection sends when its last answer has arrived. Measures the highest throughput.
    AsAnswered,
    /// This many a second over all connections, whether or not answers arrive.
    /// Measures how long callers wait at this rate: a request that cannot be sent on time counts as waiting since it
    /// was due, so a stall of the server counts for all whom it would have delayed.
    PerSecond(u32),
}

/// When a run ends. Requests that were sent by then are still waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    Requests(u64),
    Elapsed(Duration),
}

/// The number of a request in the run, and when it is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScheduledRequest {
    pub(super) number: u64,
    pub(super) due: Instant,
}

/// Distributes the run's requests: the next free connection gets the next one.
#[derive(Debug)]
pub(super) struct RequestSchedule {
    pub(super) started: Instant,
    pace: Pace,
    until: Until,
    taken: AtomicU64,
}

impl RequestSchedule {
    pub(super) fn start(pace: Pace, until: Until) -> Self {
        Self { started: Instant::now(), pace, until, taken: AtomicU64::new(0) }
    }

    /// The next request. `None`: the run is over.
    pub(super) fn take(&self, now: Instant) -> Option<ScheduledRequest> {
        // The connections only share the number, so no other memory has to be ordered with it.
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let due = match self.pace {
            Pace::AsAnswered => now,
            Pace::PerSecond(rate) => self.started + due_after(number, rate),
        };
        let within = match self.until {
            Until::Requests(count) => number < count,
            Until::Elapsed(limit) => due.duration_since(self.started) < limit,
        };
        within.then_some(ScheduledRequest { number, due })
    }
}

fn due_after(number: u64, rate: u32) -> Duration {
    let nanos = number.saturating_mul(1_000_000_000).checked_div(u64::from(rate)).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_dealt_out_exactly() {
        let schedule = RequestSchedule::start(Pace::AsAnswered, Until::Requests(3));
        let dealt: Vec<_> =
            std::iter::from_fn(|| schedule.take(Instant::now())).map(|turn| turn.number).collect();
        assert_eq!(dealt, [0, 1, 2]);
    }

    #[test]
    fn a_rate_is_dealt_out_evenly_over_the_time() {
        let schedule = RequestSchedule::start(Pace::PerSecond(500), Until::Elapsed(Duration::from_secs(2)));
        let dealt: Vec<_> = std::iter::from_fn(|| schedule.take(Instant::now())).collect();
        assert_eq!(dealt.len(), 1000);
        assert!(dealt.windows(2).all(|two| two[1].due - two[0].due == Duration::from_millis(2)));
    }
}
