//! Which tables are there? Those of `migrations/`, which are part of the program.
//!
//! Instances that start at the same time take turns: one migrates, the others find nothing left to do.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::placement::{self, PlacementError};

/// The advisory lock that an instance holds while it migrates. The number is "cf-migra" in ASCII.
const LOCK_KEY: i64 = 0x6366_2D6D_6967_7261;
/// How many seconds an instance waits for its turn.
const LOCK_SECONDS_MAX: u64 = 600;
const LOCK_POLL_MS: u64 = 50;

/// The database was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("a migration failed")]
    Migration(#[from] MigrateError),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error("another instance was still migrating the database after {LOCK_SECONDS_MAX} s")]
    LockTimeout,
    #[error(
        "the journal has {found} shards, and not {asked}: their number is chosen when a database is made; it can have \
         more for new accounts (`counterfoil shards grow`)"
    )]
    Shards { asked: u16, found: i16 },
}

/// The session's setting that tells the first migration of a database how many shards its journal gets.
const SHARDS: &str = "counterfoil.shards";

/// All migrations, in order, with their checksums.
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations");
    // The program takes the lock itself: sqlx waits for it inside of a statement, whose snapshot blocks `create index
    // concurrently`.
    migrator.set_locking(false);
    migrator
}

/// Applies the missing migrations, and puts the tables to their nodes where there are several.
/// A database that is new gets this many shards; `None`: one.
///
/// Uses a connection of its own, since a migration may take longer than a pool's statement timeout, and since the lock
/// is released with the connection in any case.
///
/// # Errors
///
/// A migration that fails is rolled back as a whole; earlier ones stay applied.
/// If another number of shards is asked for than the database has, or got when it was grown, nothing more is done.
pub async fn run(options: &PgConnectOptions, shards: Option<u16>) -> Result<(), MigrationError> {
    let options = options.clone().disable_statement_logging().options([(SHARDS, shards.unwrap_or(1))]);
    let mut connection = PgConnection::connect_with(&options).await?;
    lock(&mut connection).await?;
    migrator().run_direct(&mut connection).await?;
    if let Some(asked) = shards {
        // The number of any sharding, so that instances whose ledger was grown start again with the setting that they
        // have.
        let found: Vec<i16> =
            sqlx::query_scalar(include_str!("count_shards.sql")).fetch_all(&mut connection).await?;
        if !found.iter().any(|slots| u16::try_from(*slots) == Ok(asked)) {
            let found = found.first().copied().unwrap_or_default();
            return Err(MigrationError::Shards { asked, found });
        }
    }
    placement::distribute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let deadline = Instant::now() + Duration::from_secs(LOCK_SECONDS_MAX);
    loop {
        let locked: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LOCK_KEY)
            .fetch_one(&mut *connection)
            .await?;
        if locked {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(MigrationError::LockTimeout);
        }
        sleep(Duration::from_millis(LOCK_POLL_MS)).await;
    }
}
