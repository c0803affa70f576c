//! What happens because time passes? Grants and holds end, and paid years give each month's allocation.
//!
//! No result depends on this being done in time: every command first applies what is due, so nobody spends expired
//! credits.
//! The scheduler only has it in the journal and the reports when it happens, and not with the next command.
//!
//! The read model `deadlines` has hints which accounts are due.
//! Several instances may tick at the same time, each for the shards that it writes.
//! If what is due is applied twice, nothing is due the second time.
//! Snapshots are deliberately absent: the ledger takes them when accounts have enough events.

mod tick;

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{instances::Instances, ledger::Ledger};

pub use tick::Ticked;

/// How often due accounts are looked for.
pub const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// Applies what is due to accounts.
#[derive(Clone)]
pub struct Scheduler {
    pool: PgPool,
    ledger: Ledger,
    instances: Instances,
}

impl Scheduler {
    #[must_use]
    pub const fn new(pool: PgPool, ledger: Ledger, instances: Instances) -> Self {
        Self { pool, ledger, instances }
    }

    /// Runs until `stop`. A running tick is finished first.
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
