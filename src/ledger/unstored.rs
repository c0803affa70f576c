//! Could commands be stored lately? They could not when one was given up a moment ago.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it is taken for so. After that somebody has to try.
const REMEMBERED: Duration = Duration::from_secs(10);

/// When commands could not be stored, if none was stored since.
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
