//! What is a read model to the code that keeps it up to date?

use futures::future::BoxFuture;
use sqlx::PgConnection;

use crate::domain::recorded::RecordedEvent;

/// A read model that is built from events in their order, each counted exactly once.
///
/// Implementations have no state: everything is in their tables, which change in one transaction with the checkpoint.
pub trait Projection: Send + Sync + 'static {
    /// The name that `counterfoil projections list` shows.
    fn name(&self) -> &'static str;

    /// The `create` statements of its tables and indexes, with `_vN` at the end of every name.
    fn definition(&self) -> &'static str;

    /// Its tables, without schema and version. Each has a view of this name for readers.
    fn tables(&self) -> &'static [&'static str];

    /// A query with one text column, and `_vN` at the end of table names: one row for each figure.
    /// Two versions at the same position must have the same rows.
    fn totals(&self) -> &'static str;

    fn on_failure(&self) -> OnFailure {
        OnFailure::Park
    }

    /// Applies `events`, which are all of one shard, to its rows, in the connection's open transaction.
    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>>;
}

/// What happens to a read model if an event cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The event's account is parked, and the others go on.
    Park,
    /// Everything stops: a figure without some accounts would be wrong without looking wrong.
    Stop,
}

/// The tables of one version of a read model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    pub version: i32,
}

impl Tables {
    /// The statement with this version's table names instead of `_vN`.
    #[must_use]
    pub fn statement(self, template: &str) -> String {
        template.replace("_vN", &format!("_v{}", self.version))
    }

    /// The statement for one table, whose name replaces `TABLE`.
    #[must_use]
    pub fn statement_on(self, table: &str, template: &str) -> String {
        self.statement(&template.replace("TABLE", table))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The event does not fit the read model.
    #[error("the event at position {position} cannot be applied: {reason}")]
    Unfit { position: i64, reason: String },
    #[error("the database refused the rows")]
    Database(#[from] sqlx::Error),
}
