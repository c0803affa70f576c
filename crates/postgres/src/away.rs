//! Is the database unavailable or full, so that waiting may help, or is the program at fault?

use std::error::Error;

use sqlx::postgres::PgDatabaseError;

/// PostgreSQL's error classes and codes for being unavailable: connection exceptions (08), insufficient resources such
/// as a full disk (53), operator intervention such as a shutdown or a statement that took too long (57), system errors
/// (58), a lock timeout (55P03), and a read-only server (25006).
const AWAY: [&str; 6] = ["08", "53", "57", "58", "55P03", "25006"];

/// Whether an error, or one of its causes, means that the database cannot be used now.
#[must_use]
pub fn is_away(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<sqlx::Error>().is_some_and(cannot_now) {
            return true;
        }
        next = error.source();
    }
    false
}

fn cannot_now(error: &sqlx::Error) -> bool {
    let database = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    match (error, database) {
        (_, Some(database)) => AWAY.iter().any(|code| database.code().starts_with(code)),
        (
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed,
            None,
        ) => true,
        (_, None) => false,
    }
}
