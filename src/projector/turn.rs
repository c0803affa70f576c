//! Which process rebuilds a read model? An advisory lock, held by a connection of its own as long as it does.

use sqlx::{Connection, PgConnection, PgPool};

/// The right to rebuild, until it is dropped: the lock goes with its connection.
pub(super) struct RebuildTurn {
    connection: PgConnection,
}

impl RebuildTurn {
    /// `None`: another one rebuilds it, in this process or in another.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn take(pool: &PgPool, projection: &str) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let is_taken: bool = sqlx::query_scalar(include_str!("try_lock.sql"))
            .bind(format!("counterfoil/{projection}/rebuild"))
            .fetch_one(&mut connection)
            .await?;
        Ok(is_taken.then_some(Self { connection }))
    }

    pub async fn end(self) {
        // The lock ends with the session, however that ends.
        let _: Result<_, _> = self.connection.close().await;
    }
}
