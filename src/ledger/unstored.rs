//! Could commands be stored lately?

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For how long a failure counts. After that, a command is tried again.
const REMEMBERED: Duration = Duration::from_secs(10);

/// When commands could last not be stored, if none was stored since.
#[derive(Debug, Default)]
pub(super) struct Unstored(Mutex<Option<Instant>>);

impl Unstored {
    pub(super) fn note(&self) {
        self.set(Some(Instant::now()));
    }

    pub(super) fn clear(&self) {
        self.set(None);
    }

    pub(super) fn is_recent(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < REMEMBERED)
    }

    fn set(&self, to: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}
