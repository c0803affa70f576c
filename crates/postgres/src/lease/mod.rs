//! Who does a piece of work that one process does at a time? Whoever has the lease of its name.
//!
//! A lease is a row, and not a lock of a session: sessions may be on different nodes of a distributed database, which
//! do not know each other's locks, and the session of a frozen process stays.
//! A lease ends by the database's clock. For a moment two may believe to have it, so nothing rests on it alone: what
//! must not be done twice confirms it in the transaction that does it.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::{sync::oneshot, time::timeout};
use uuid::Uuid;

/// How long a lease lasts without being renewed.
pub const LEASE: Duration = Duration::from_secs(5);
/// How often leases are renewed, or asked for.
pub const RENEW_EVERY: Duration = Duration::from_millis(900);

/// Renews the holder's leases of these names, and takes those that nobody has. All in one statement; returns the names
/// of those that it has now, for [`LEASE`].
///
/// # Errors
/// If the database does not answer.
pub async fn renew(pool: &PgPool, names: &[&str], holder: Uuid) -> Result<Vec<String>, sqlx::Error> {
    let renewed = sqlx::query_scalar(include_str!("renew.sql"));
    renewed.bind(names).bind(holder).bind(LEASE.as_secs_f64()).fetch_all(pool).await
}

/// Lets others have the holder's leases of these names at once.
///
/// # Errors
/// If the database does not answer. The leases then end by themselves.
pub async fn give_back(pool: &PgPool, names: &[&str], holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("give_back.sql")).bind(names).bind(holder).execute(pool).await.map(|_| ())
}

/// A lease for a piece of work, which is renewed as long as that takes.
#[derive(Debug)]
pub struct WorkLease {
    pool: PgPool,
    name: String,
    holder: Uuid,
}

impl WorkLease {
    /// `None`: another one has it, in this process or in another.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn take(pool: &PgPool, name: &str) -> Result<Option<Self>, sqlx::Error> {
        let lease = Self { pool: pool.clone(), name: name.to_owned(), holder: Uuid::new_v4() };
        Ok(lease.renew().await?.then_some(lease))
    }

    /// Does the work, and gives the lease back. `None`: another one has the lease now, and the work was aborted.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (done, ended) = oneshot::channel();
        let work = async {
            let result = work.await;
            // Who renews may have ended already.
            let _: Result<(), ()> = done.send(());
            Ok::<_, TakenOver>(result)
        };
        let worked = tokio::try_join!(work, self.keep(ended));
        // What cannot be given back ends by itself.
        let _: Result<_, _> = give_back(&self.pool, &[&self.name], self.holder).await;
        worked.ok().map(|(result, ())| result)
    }

    /// Whether nobody else has had it meanwhile, nor gets it before the transaction ends.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn confirm(&self, transaction: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let confirmed = sqlx::query(include_str!("confirm.sql")).bind(&self.name).bind(self.holder);
        Ok(confirmed.fetch_optional(transaction).await?.is_some())
    }

    /// Renews it until the work has ended. A renewal that is under way then is waited for, since it would take the
    /// lease again after it was given back.
    async fn keep(&self, mut ended: oneshot::Receiver<()>) -> Result<(), TakenOver> {
        while timeout(RENEW_EVERY, &mut ended).await.is_err() {
            match self.renew().await {
                Ok(true) => {}
                // It may have ended just now, and is not taken back.
                Ok(false) if ended.try_recv().is_ok() => return Ok(()),
                Ok(false) => return Err(TakenOver),
                Err(error) => {
                    let name = &self.name;
                    tracing::warn!(error = &error as &dyn std::error::Error, name, "a lease is not renewed");
                }
            }
        }
        Ok(())
    }

    async fn renew(&self) -> Result<bool, sqlx::Error> {
        Ok(!renew(&self.pool, &[&self.name], self.holder).await?.is_empty())
    }
}

/// Another process has the lease.
struct TakenOver;
