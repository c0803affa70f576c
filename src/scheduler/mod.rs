//! What happens because time passes? The end of grants and holds, and each month's allocation in a paid year.
//!
//! Nothing rests on this being done in time: every command settles its account first, so nobody spends what has
//! expired. It is done so that the journal and the reports tell of it when it happens, and not with the next command.
//!
//! Which accounts are due is a hint from the `deadlines` read model. Several instances may tick at the same time: an
//! account that is settled twice has nothing due the second time. Snapshots are deliberately absent: the ledger takes
//! them as accounts grow.

mod tick;

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::ledger::Ledger;

pub use tick::Ticked;

/// How often it is looked what is due.
pub const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// Settles accounts when their time has come.
#[derive(Clone)]
pub struct Scheduler {
    pool: PgPool,
    ledger: Ledger,
}

impl Scheduler {
    #[must_use]
    pub const fn new(pool: PgPool, ledger: Ledger) -> Self {
        Self { pool, ledger }
    }

    /// Works until `stop`. A tick that has begun is ended first.
    pub async fn run(self, stop: CancellationToken) {
        let mut interval = tokio::time::interval(TICK_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            self.tick_and_tell(&stop).await;
        }
    }

    async fn tick_and_tell(&self, stop: &CancellationToken) {
        let started = Instant::now();
        match self.tick_until(stop).await {
            Ok(ticked) if ticked == Ticked::default() => {}
            Ok(ticked) => {
                let Ticked { settled, events, left } = ticked;
                tracing::info!(settled, events, left, "accounts were settled because time passed");
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the deadlines cannot be read");
            }
        }
        metrics::histogram!("counterfoil_scheduler_tick_seconds").record(started.elapsed().as_secs_f64());
    }
}
