//! Which process follows a shard?
//!
//! A lease in the database, for some seconds of the database's clock, which the leader renews.
//! Whoever ends, is frozen or cannot reach the database any more loses its leases, and another process leads.
//! For a moment two may believe to lead: the checkpoints keep that harmless.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgPool;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::recorded::Shard,
    postgres::lease::{self, LEASE, RENEW_EVERY},
};

/// What this process leads.
pub(super) struct Leadership {
    pool: PgPool,
    holder: Uuid,
    /// The lease of each shard.
    leases: BTreeMap<String, Shard>,
    led: watch::Sender<BTreeSet<Shard>>,
}

impl Leadership {
    /// The names of the leases begin with `leases`.
    pub fn new(pool: PgPool, leases: &str, shards: &[Shard]) -> Self {
        let leases = shards.iter().map(|shard| (format!("{leases}/{}", shard.0), *shard)).collect();
        Self { pool, holder: Uuid::new_v4(), leases, led: watch::Sender::default() }
    }

    pub fn leads(&self, shard: Shard) -> bool {
        self.led.borrow().contains(&shard)
    }

    /// The shards that this process leads, now and later.
    pub fn watch(&self) -> watch::Receiver<BTreeSet<Shard>> {
        self.led.subscribe()
    }

    /// Renews the leases, and asks for those of others, until `stop` is cancelled. Then others may lead.
    pub async fn keep(&self, stop: &CancellationToken) {
        // A little less than the database says.
        let mut until = Instant::now();
        while !stop.is_cancelled() {
            let asked_at = Instant::now();
            // Asked for no longer than what is held lasts.
            let renewed = timeout(LEASE.saturating_sub(RENEW_EVERY * 2), self.renew()).await;
            match renewed.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(held) => {
                    until = asked_at + LEASE.saturating_sub(RENEW_EVERY);
                    self.lead(held);
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "who leads is not known");
                    if Instant::now() >= until {
                        self.lead(BTreeSet::new());
                    }
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(RENEW_EVERY)).await;
        }
        self.lead(BTreeSet::new());
        let names: Vec<&str> = self.leases.keys().map(String::as_str).collect();
        // What cannot be given back ends by itself.
        let _: Result<_, _> = lease::give_back(&self.pool, &names, self.holder).await;
    }

    fn lead(&self, shards: BTreeSet<Shard>) {
        self.led.send_if_modified(|led| {
            let is_other = *led != shards;
            *led = shards;
            is_other
        });
    }

    /// All in one statement.
    async fn renew(&self) -> Result<BTreeSet<Shard>, sqlx::Error> {
        let names: Vec<&str> = self.leases.keys().map(String::as_str).collect();
        let held = lease::renew(&self.pool, &names, self.holder).await?;
        Ok(held.iter().filter_map(|name| self.leases.get(name)).copied().collect())
    }
}
