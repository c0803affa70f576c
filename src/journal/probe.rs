//! Can the database store anything now? It may answer although it is read-only or has no room.

use sqlx::PgPool;

use crate::domain::time::Timestamp;

/// Writes to a row that nobody reads.
///
/// # Errors
/// If it cannot be written.
pub async fn write(pool: &PgPool, at: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("write_probe.sql")).bind(at.to_utc()).execute(pool).await.map(|_| ())
}
