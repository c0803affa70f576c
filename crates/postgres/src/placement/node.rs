//! On which node is a shard? What only touches the shard is asked there, without a detour through the coordinator.

use sqlx::{PgConnection, postgres::PgConnectOptions};

/// A node of a distributed database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseNode {
    /// A name or an address, or the directory of a socket.
    host: String,
    port: u16,
}

impl DatabaseNode {
    /// How the node is reached by who reaches the coordinator with `options`.
    #[must_use]
    pub fn options(&self, options: &PgConnectOptions) -> PgConnectOptions {
        let options = options.clone().port(self.port);
        if self.host.starts_with('/') { options.socket(&self.host) } else { options.host(&self.host) }
    }
}

/// The node that has a shard's part of the journal now. `None`: the database is on one.
/// Every node can answer, so what has changed since costs time and nothing else.
///
/// # Errors
/// If the database does not answer.
pub async fn node_of(connection: &mut PgConnection, shard: i16) -> Result<Option<DatabaseNode>, sqlx::Error> {
    if !super::distribute::is_distributed(connection).await? {
        return Ok(None);
    }
    let node: Option<(String, i32)> =
        sqlx::query_as(include_str!("node.sql")).bind(shard).fetch_optional(connection).await?;
    Ok(node.and_then(|(host, port)| Some(DatabaseNode { host, port: port.try_into().ok()? })))
}
