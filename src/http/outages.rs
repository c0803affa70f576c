//! Which failures are logged, and how often?
//! Each fault once, but an unavailable database only once a second, since all requests then fail for the same reason.

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::failure::Failure;

/// How long an unavailable database is not logged again.
const QUIET: Duration = Duration::from_secs(1);

/// When the unavailable database was last logged, and how many failures were not logged since.
#[derive(Debug, Default)]
pub struct Outages(Mutex<(Option<Instant>, u64)>);

impl Outages {
    /// The cause of a failure that should be logged, and how many before it were not. `None`: it should not be logged.
    #[must_use]
    pub fn line<'a>(&self, failure: &'a Failure) -> Option<(&'a (dyn Error + 'static), u64)> {
        let cause = failure.cause()?;
        if !failure.is_away() {
            return Some((cause, 0));
        }
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, unsaid) = &mut *said;
        if last.is_some_and(|last| last.elapsed() < QUIET) {
            *unsaid = unsaid.saturating_add(1);
            return None;
        }
        *last = Some(Instant::now());
        Some((cause, std::mem::take(unsaid)))
    }
}
