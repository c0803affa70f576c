//! Which process leads a consumer?
//!
//! A lease in the database, for some seconds of the database's clock, which the leader renews.
//! Whoever ends, is frozen or cannot reach the database any more loses its leases, and another process leads.
//! For a moment two may believe to lead: the checkpoints keep that harmless.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sqlx::PgPool;
use tokio::{sync::Mutex, time::Instant};
use uuid::Uuid;

/// How long a lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(5);
/// How often all leases of this process are renewed, or asked for.
const RENEW_EVERY: Duration = Duration::from_millis(900);

/// What this process leads, or tries to lead.
pub(super) struct Leadership {
    pool: PgPool,
    holder: Uuid,
    leases: Mutex<Leases>,
}

#[derive(Default)]
struct Leases {
    wanted: BTreeSet<String>,
    /// Until when this process leads, a little less than the database says.
    until: BTreeMap<String, Instant>,
    asked_at: Option<Instant>,
}

impl Leadership {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, holder: Uuid::new_v4(), leases: Mutex::default() }
    }

    /// Tries to lead `name`, and returns whether this process leads it.
    pub async fn hold(&self, name: &str) -> bool {
        let mut leases = self.leases.lock().await;
        let is_new = leases.wanted.insert(name.to_owned());
        let is_due = leases.asked_at.is_none_or(|at| at.elapsed() >= RENEW_EVERY);
        if (is_new || is_due)
            && let Err(error) = self.renew(&mut leases).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "who leads is not known");
        }
        leases.until.get(name).is_some_and(|until| *until > Instant::now())
    }

    /// All in one statement.
    async fn renew(&self, leases: &mut Leases) -> Result<(), sqlx::Error> {
        let asked_at = Instant::now();
        leases.asked_at = Some(asked_at);
        let wanted: Vec<&str> = leases.wanted.iter().map(String::as_str).collect();
        let held: Vec<String> = sqlx::query_scalar(include_str!("renew.sql"))
            .bind(wanted)
            .bind(self.holder)
            .bind(LEASE.as_secs_f64())
            .fetch_all(&self.pool)
            .await?;
        let until = asked_at + LEASE - RENEW_EVERY;
        leases.until = held.into_iter().map(|name| (name, until)).collect();
        Ok(())
    }

    /// Lets another process lead.
    pub async fn release(&self, name: &str) {
        let mut leases = self.leases.lock().await;
        leases.wanted.remove(name);
        if leases.until.remove(name).is_some() {
            let given_back = sqlx::query(include_str!("give_back.sql")).bind(name).bind(self.holder);
            // If it cannot be given back, it ends by itself.
            let _: Result<_, _> = given_back.execute(&self.pool).await;
        }
    }
}
