//! Which failures are logged, and how often? Of each fault a line, and of a database that is away one a second: all
//! requests fail then, and say the same.

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::failure::Failure;

/// How long nothing more is said of a database that is away.
const QUIET: Duration = Duration::from_secs(1);

/// When it was last said that the database is away, and how many failures had no line since.
#[derive(Debug, Default)]
pub struct Outages(Mutex<(Option<Instant>, u64)>);

impl Outages {
    /// The cause of a failure that is to have a line, and how many before it had none.
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
