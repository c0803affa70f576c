//! What time is it? The only place that reads a clock, so that tests can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::TimeDelta;

use domain::time::Timestamp;

/// The time that the ledger decides by.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The fixed time, in microseconds since 1970; 0: the clock runs.
    fixed: Arc<AtomicI64>,
    /// By how much it was advanced, in microseconds; only a sandbox does that.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that shows one time until it is set again.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        let clock = Self::default();
        clock.set(at);
        clock
    }

    pub fn set(&self, at: Timestamp) {
        self.ahead.store(0, Ordering::SeqCst);
        self.fixed.store(at.micros(), Ordering::SeqCst);
    }

    /// From now on, a clock that was fixed shows the system's time.
    pub fn follow_system(&self) {
        self.fixed.store(0, Ordering::SeqCst);
    }

    /// Advances the clock for everybody who shares it. A sandbox lets a month pass this way.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead.fetch_add(by.num_microseconds().unwrap_or(0).max(0), Ordering::SeqCst);
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let fixed = self.fixed.load(Ordering::Relaxed);
        let micros = if fixed == 0 { chrono::Utc::now().timestamp_micros() } else { fixed };
        let micros = micros.saturating_add(self.ahead.load(Ordering::Relaxed));
        Timestamp::from_micros(micros).unwrap_or_else(|| Timestamp::from(chrono::DateTime::UNIX_EPOCH))
    }
}
