//! Is this machine's clock right? It cannot be earlier than the newest recorded event.
//!
//! A clock that is behind does not see credits, plans and limits that have already begun, so a refusal for lack of them
//! may be wrong (`Refusal::may_pass`).
//! Such a refusal is answered as [`ExecuteError::ClockBehind`](super::ExecuteError::ClockBehind).

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;

use crate::{
    domain::{
        recorded::{JournalPosition, JournalPositions},
        time::Timestamp,
    },
    journal::range,
};

/// By how many seconds the clocks of several machines may differ.
const TOLERANCE_S: i64 = 10;
/// How many shards are looked at at the same time.
const LOOKUPS_MAX: usize = 4;
/// How often it is logged that the clock is behind.
const SAID_EACH: Duration = Duration::from_secs(60);

/// The newest time that is known to have been recorded.
#[derive(Debug)]
pub(super) struct Newest {
    micros: AtomicI64,
    said: Mutex<Option<Instant>>,
}

impl Newest {
    pub(super) fn new(newest: Option<Timestamp>) -> Self {
        let micros = newest.map_or(i64::MIN, Timestamp::micros);
        Self { micros: AtomicI64::new(micros), said: Mutex::default() }
    }

    /// Takes note that something was recorded at this time.
    pub(super) fn note(&self, recorded_at: Timestamp) {
        self.micros.fetch_max(recorded_at.micros(), Ordering::Relaxed);
    }

    /// Sets the newest time of the last events.
    /// It may be earlier than before: an event that another clock dated into the future no longer counts once enough
    /// others follow it.
    pub(super) fn replace(&self, newest: Timestamp) {
        self.micros.store(newest.micros(), Ordering::Relaxed);
    }

    /// By how many seconds `now` is behind, if that is more than clocks may differ by. Logs it from time to time.
    pub(super) fn behind_s(&self, now: Timestamp) -> Option<i64> {
        let behind_s = self.micros.load(Ordering::Relaxed).saturating_sub(now.micros()) / 1_000_000;
        if behind_s <= TOLERANCE_S {
            return None;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= SAID_EACH) {
            *said = Some(Instant::now());
            tracing::error!(
                behind_s,
                %now,
                "THE CLOCK IS BEHIND what was recorded: credits, plans and limits that have begun are not seen. Set this \
                 machine's clock; a sandbox that moved time on leaves it so, too"
            );
        }
        Some(behind_s)
    }
}

/// When the newest of the last events of all shards was recorded. `None`: nothing was.
pub(super) async fn recorded(
    pool: &PgPool,
    heads: &JournalPositions,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let newest = stream::iter(heads.iter())
        .map(|JournalPosition { shard, position }| range::newest(pool, shard, position))
        .buffer_unordered(LOOKUPS_MAX);
    newest.try_fold(None, async |newest, of_shard| Ok(newest.max(of_shard))).await
}
