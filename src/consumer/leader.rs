//! Which process leads a consumer?
//!
//! An advisory lock, held by one connection for all that this process leads. When the connection breaks the
//! locks are gone and someone else may lead, or two for a moment: the checkpoints keep that harmless.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{Connection, PgConnection, PgPool};
use tokio::{sync::Mutex, time::Instant};

/// How long a held lock counts before its connection is checked again.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// What this process leads, or tries to lead.
pub struct Leadership {
    pool: PgPool,
    held: Mutex<Option<LeaderLock>>,
}

struct LeaderLock {
    connection: PgConnection,
    locks: BTreeSet<String>,
    checked_at: Instant,
}

impl Leadership {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, held: Mutex::default() }
    }

    /// Tries to lead `name`, and returns whether this process leads it.
    pub async fn hold(&self, name: &str) -> bool {
        let mut held = self.held.lock().await;
        self.hold_in(&mut held, name).await
    }

    /// As [`Leadership::hold`], but only one task of this process can hold it.
    pub async fn take(&self, name: &str) -> bool {
        let mut held = self.held.lock().await;
        let is_taken = held.as_ref().is_some_and(|held| held.locks.contains(name));
        !is_taken && self.hold_in(&mut held, name).await
    }

    async fn hold_in(&self, held: &mut Option<LeaderLock>, name: &str) -> bool {
        // Twice, because the first failure may be of a connection that broke long ago.
        for _ in 0..2 {
            match self.try_hold(held, name).await {
                Ok(leads) => return leads,
                Err(error) => {
                    tracing::warn!(
                        name,
                        error = &error as &dyn std::error::Error,
                        "the connection that leads was lost"
                    );
                    *held = None;
                }
            }
        }
        false
    }

    async fn try_hold(&self, held: &mut Option<LeaderLock>, name: &str) -> Result<bool, sqlx::Error> {
        let held = match held {
            Some(held) => held,
            None => held.insert(LeaderLock {
                connection: PgConnection::connect_with(&self.pool.connect_options()).await?,
                locks: BTreeSet::new(),
                checked_at: Instant::now(),
            }),
        };
        if held.checked_at.elapsed() > CHECK_EVERY {
            held.connection.ping().await?;
            held.checked_at = Instant::now();
        }
        if held.locks.contains(name) {
            return Ok(true);
        }
        let leads: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(name)
            .fetch_one(&mut held.connection)
            .await?;
        if leads {
            held.locks.insert(name.to_owned());
        }
        Ok(leads)
    }

    /// Lets someone else lead.
    pub async fn release(&self, name: &str) {
        let mut held = self.held.lock().await;
        let Some(open) = held.as_mut() else { return };
        if open.locks.remove(name) {
            let released = sqlx::query("select pg_advisory_unlock(hashtextextended($1, 0))")
                .bind(name)
                .execute(&mut open.connection)
                .await;
            if released.is_err() {
                *held = None;
            }
        }
    }
}
