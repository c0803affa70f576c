//! What time is it? The only place that reads a clock, so that tests can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::domain::time::Timestamp;

/// The time that the ledger decides by.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Where the clock stands still, in microseconds since 1970; 0: it runs.
    fixed: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is set again.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        let clock = Self::default();
        clock.set(at);
        clock
    }

    pub fn set(&self, at: Timestamp) {
        self.fixed.store(at.micros(), Ordering::SeqCst);
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let fixed = self.fixed.load(Ordering::Relaxed);
        let micros = if fixed == 0 { chrono::Utc::now().timestamp_micros() } else { fixed };
        Timestamp::from_micros(micros).unwrap_or_else(|| Timestamp::from(chrono::DateTime::UNIX_EPOCH))
    }
}
