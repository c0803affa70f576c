//! As of which moment is the journal read? Several connections see the same one, so that they can share the work.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Executor, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that read the database as it was at one moment; later events are left to the next audit.
pub(super) struct JournalMoment {
    idle: Arc<Mutex<Vec<PoolConnection<Postgres>>>>,
    free: Arc<Semaphore>,
    count: usize,
}

/// A connection of a moment, until it is dropped.
pub(super) struct MomentReader {
    connection: Option<PoolConnection<Postgres>>,
    idle: Arc<Mutex<Vec<PoolConnection<Postgres>>>>,
    _turn: OwnedSemaphorePermit,
}

impl JournalMoment {
    /// Opens `count` connections, at least one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn open(pool: &PgPool, count: usize) -> Result<Self, sqlx::Error> {
        let count = count.max(1);
        let mut first = begin(pool).await?;
        let snapshot: String =
            sqlx::query_scalar(include_str!("export_snapshot.sql")).fetch_one(&mut *first).await?;
        let mut connections = vec![first];
        while connections.len() < count {
            let mut next = begin(pool).await?;
            next.execute(format!("set transaction snapshot '{snapshot}'").as_str()).await?;
            connections.push(next);
        }
        Ok(Self { idle: Arc::new(Mutex::new(connections)), free: Arc::new(Semaphore::new(count)), count })
    }

    /// How many readers there can be at once.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The next connection that is free.
    ///
    /// # Errors
    /// Never, as long as readers are given back, which dropping them does.
    pub async fn reader(&self) -> Result<MomentReader, sqlx::Error> {
        let turn = Arc::clone(&self.free).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(MomentReader { connection, idle: Arc::clone(&self.idle), _turn: turn })
    }
}

impl MomentReader {
    /// # Errors
    /// Never: a reader has its connection until it is dropped.
    pub fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }
}

impl Drop for MomentReader {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}

/// A connection with a transaction of its own, which is closed at the end, and not given back to the pool.
async fn begin(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    connection.close_on_drop();
    // It waits for others of its kind, and its own work can be long.
    let begin = "begin isolation level repeatable read, read only; \
                 set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0";
    connection.execute(begin).await?;
    Ok(connection)
}
