//! How often is something tried that can fail, and when again?
//!
//! What has to be done until it works is a row of a table, and each instance claims rows with `skip locked`, so that
//! none waits for what another has at hand. Such a table has its own statements, beside its reader, and claims in one
//! of two ways:
//!
//! - What is done in this database is claimed by a lock, for as long as the transaction is open. If the instance dies,
//!   another goes on at once.
//! - What is asked of another computer is claimed by moving its next attempt on ([`Backoff::delays_s`]), since nothing
//!   stays locked while somebody else is waited for. If the instance dies, another goes on when that time has come.

// A pure type, tested by its laws.
#[cfg(test)]
#[path = "../../tests/unit/queue/laws.rs"]
mod laws;

use std::iter::successors;

use chrono::TimeDelta;

use crate::domain::time::Timestamp;

/// No delay is doubled more often: a number that is not 0 has no more bits.
const DOUBLINGS_MAX: usize = 64;

/// How long is waited after each attempt in vain: twice as long as before, up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first attempt.
    pub delay_s_min: i64,
    /// After any attempt.
    pub delay_s_max: i64,
}

/// How often something is tried before it is given up, and how long is waited in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    pub attempts_max: i32,
    pub backoff: Backoff,
}

/// What follows an attempt in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    At(Timestamp),
    /// There were enough: a person has to look.
    Never,
}

impl Backoff {
    /// The delays after the first attempt, the second and so on, in seconds. The last one stays.
    #[must_use]
    pub fn delays_s(self) -> Vec<i64> {
        let next =
            |delay: &i64| (*delay < self.delay_s_max).then(|| delay.saturating_mul(2).min(self.delay_s_max));
        successors(Some(self.delay_s_min.min(self.delay_s_max).max(0)), next).take(DOUBLINGS_MAX).collect()
    }

    /// How long to wait after so many attempts.
    #[must_use]
    pub fn delay(self, attempts: i32) -> TimeDelta {
        let attempts = usize::try_from(attempts).unwrap_or(0).max(1);
        let delay_s = self.delays_s().into_iter().take(attempts).next_back().unwrap_or_default();
        TimeDelta::try_seconds(delay_s).unwrap_or(TimeDelta::MAX)
    }
}

impl Retries {
    /// What follows after so many attempts, the last of which failed `at` that time.
    #[must_use]
    pub fn after(self, attempts: i32, at: Timestamp) -> NextAttempt {
        if attempts >= self.attempts_max {
            return NextAttempt::Never;
        }
        NextAttempt::At(at.plus(self.backoff.delay(attempts)))
    }
}
