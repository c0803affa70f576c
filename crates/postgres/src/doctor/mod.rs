//! Is the database as this ledger needs it? Each check says what it found, what is good, and why.
//!
//! Nothing is changed: what is measured is written to PostgreSQL's log and to no table.
//! Deliberately absent: repairs. An operator knows what else the server is for.

mod finding;
mod journal;
mod measured;
mod rights;
mod room;
mod server;
mod sessions;
mod settings;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;

pub use finding::{DatabaseFinding, FindingLevel};

use super::pool;
use finding::DatabaseFindings;

/// What the checks are held against.
pub struct Examination<'a> {
    pub place: ServerPlace,
    /// The clock that events are given their times by.
    pub now: &'a (dyn Fn() -> DateTime<Utc> + Sync),
    /// How many connections one program that serves opens at most.
    pub connections: u32,
}

/// Who runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerPlace {
    /// This program, in the data directory.
    Embedded(PathBuf),
    /// Somebody else, maybe on another machine.
    External,
}

/// Runs all checks, in a fixed order. Those of the journal are left out if there is none yet.
///
/// # Errors
/// If the database does not answer.
pub async fn examine(
    login: &PgConnectOptions,
    examination: &Examination<'_>,
) -> Result<Vec<DatabaseFinding>, sqlx::Error> {
    let pool = pool::open(login.clone(), 1);
    let mut connection = pool.acquire().await?;
    let findings = check_all(&mut connection, examination).await;
    drop(connection);
    pool::close(&pool).await;
    findings
}

async fn check_all(
    connection: &mut PgConnection,
    examination: &Examination<'_>,
) -> Result<Vec<DatabaseFinding>, sqlx::Error> {
    let mut findings = DatabaseFindings::default();
    let now = (examination.now)();
    let server = server::check(connection, now, &mut findings).await?;
    settings::check(connection, &examination.place, &mut findings).await?;
    sessions::check(connection, examination.connections, &mut findings).await?;
    measured::check(connection, examination.now, &mut findings).await?;
    journal::check_migrations(connection, &mut findings).await?;
    // From here on with the rights of the program, which may read what is the ledger's.
    let role = rights::take_on_role(connection).await?;
    let journal = rights::unless_refused(journal::find(connection).await, &mut findings)?;
    if let Some(journal) = &journal {
        rights::check(connection, role, &mut findings).await?;
        journal::check(journal, &mut findings);
    }
    room::check(&examination.place, &server, journal.as_ref(), &mut findings);
    Ok(findings.0)
}
