//! Which connections does the program have, and with which limits?

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::time::{Instant, sleep};

/// The name of the program's sessions in `pg_stat_activity`.
const APPLICATION_NAME: &str = "counterfoil";

/// The longest run of one statement. Long work, such as a rebuild, sets its own limit with `set local`.
pub const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// The longest wait for a lock. A command that would wait longer is refused, and can be repeated.
pub const LOCK_TIMEOUT_MS: u64 = 5_000;
/// The longest pause inside of a transaction, which may block others.
pub const IDLE_IN_TRANSACTION_TIMEOUT_MS: u64 = 30_000;
/// The longest wait for a free connection of the pool.
pub const ACQUIRE_TIMEOUT_MS: u64 = 5_000;

/// The longest wait for connections in use when their pool is closed.
const CLOSE_TIMEOUT_MS: u64 = 5_000;
const CLOSE_POLL_MS: u64 = 2;

/// How long the first connection may take, for a database that is started at the same time.
const FIRST_CONNECT_TIMEOUT_MS: u64 = 30_000;
const RETRY_DELAY_MS_MIN: u64 = 50;
const RETRY_DELAY_MS_MAX: u64 = 1_000;

/// `cannot_connect_now`, `admin_shutdown`, `crash_shutdown`, `too_many_connections`.
const PASSING_CODES: [&str; 4] = ["57P03", "57P01", "57P02", "53300"];

/// Opens a pool of at most `max` connections to a database that may not run yet.
///
/// Returns once the database has answered.
///
/// # Errors
///
/// A database that does not run yet is waited for, for a limited time.
/// A wrong password or a missing database is an error at once.
pub async fn connect(options: PgConnectOptions, max: u32) -> Result<PgPool, sqlx::Error> {
    let options = on_our_terms(options);
    wait_for_answer(&options, Duration::from_millis(FIRST_CONNECT_TIMEOUT_MS)).await?;
    Ok(pool_of(options, max))
}

/// Opens the same pool to a database that is known to run. It connects when it is first used.
pub fn open(options: PgConnectOptions, max: u32) -> PgPool {
    pool_of(on_our_terms(options), max)
}

/// Closes a pool, and waits until each of its connections is closed, so that the server can stop without aborting one.
///
/// A pool itself counts one connection too many as free for each idle connection that it closes (sqlx 0.8), and does
/// not wait for those in use.
pub async fn close(pool: &PgPool) {
    let deadline = Instant::now() + Duration::from_millis(CLOSE_TIMEOUT_MS);
    pool.close().await;
    while pool.size() > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(CLOSE_POLL_MS)).await;
        pool.close().await;
    }
}

fn pool_of(options: PgConnectOptions, max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_millis(ACQUIRE_TIMEOUT_MS))
        .connect_lazy_with(options)
}

fn on_our_terms(options: PgConnectOptions) -> PgConnectOptions {
    options
        .application_name(APPLICATION_NAME)
        .options([
            ("statement_timeout", STATEMENT_TIMEOUT_MS),
            ("lock_timeout", LOCK_TIMEOUT_MS),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT_MS),
        ])
        // Statements contain data, which must not be logged.
        .disable_statement_logging()
}

async fn wait_for_answer(options: &PgConnectOptions, patience: Duration) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + patience;
    let mut delay = Duration::from_millis(RETRY_DELAY_MS_MIN);
    loop {
        match connect_once(options, deadline).await {
            Err(error) if may_pass(&error) && Instant::now() + delay < deadline => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database does not answer yet");
                sleep(delay).await;
                delay = Duration::from_millis(RETRY_DELAY_MS_MAX).min(delay * 2);
            }
            answer => return answer,
        }
    }
}

/// Connects once, with a time limit, since a server may accept the connection and then not answer.
async fn connect_once(options: &PgConnectOptions, deadline: Instant) -> Result<(), sqlx::Error> {
    let connection = tokio::time::timeout_at(deadline, PgConnection::connect_with(options))
        .await
        .map_err(|_| sqlx::Error::PoolTimedOut)??;
    connection.close().await
}

/// Whether a later attempt may succeed: the server is starting or full, or its network is not there yet.
fn may_pass(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(error, sqlx::Error::Io(_)) || code.is_some_and(|code| PASSING_CODES.contains(&code.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_never_answers_is_an_error_in_the_end() {
        let nowhere = tempfile::tempdir().unwrap();
        let options = PgConnectOptions::new_without_pgpass().socket(nowhere.path());
        let answer = wait_for_answer(&options, Duration::from_millis(RETRY_DELAY_MS_MIN * 2)).await;
        assert!(matches!(answer, Err(sqlx::Error::Io(_))));
    }
}
