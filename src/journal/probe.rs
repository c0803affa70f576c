//! Does the database take anything? That it answers says nothing of that: it may only read, or have no room.

use sqlx::PgPool;

use crate::domain::time::Timestamp;

/// Writes to a row that nobody reads.
///
/// # Errors
/// When it cannot be written.
pub async fn write(pool: &PgPool, at: Timestamp) -> Result<(), sqlx::Error> {
    let query =
        "insert into ledger.readiness (at) values ($1) on conflict (one) do update set at = excluded.at";
    sqlx::query(query).bind(at.to_utc()).execute(pool).await.map(|_| ())
}
