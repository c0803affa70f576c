//! What is a read model, for the code that keeps it up to date?

use futures::future::BoxFuture;
use sqlx::PgConnection;

use crate::domain::recorded::RecordedEvent;

/// A read model that is built from events, in their order, each counted exactly once.
///
/// Implementations hold no state: whatever was seen is in their tables, which change in one transaction with
/// the checkpoint.
pub trait Projection: Send + Sync + 'static {
    /// As in `counterfoil projections list`.
    fn name(&self) -> &'static str;

    /// The `create` statements of its tables and indexes, with `_vN` at the end of every name.
    fn definition(&self) -> &'static str;

    /// Its tables, without schema and version. Each has a view of this name, which readers use.
    fn tables(&self) -> &'static [&'static str];

    /// A query of one text column, with `_vN` at the end of table names: one line a figure. Two versions at
    /// the same position have to answer the same.
    fn totals(&self) -> &'static str;

    fn on_failure(&self) -> OnFailure {
        OnFailure::Park
    }

    /// Changes the rows as `events` say, on the connection's open transaction.
    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>>;
}

/// What becomes of a read model when one event cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The event's account waits, the others go on.
    Park,
    /// Everything waits: a figure that leaves accounts out would be wrong without looking wrong.
    Stop,
}

/// Which of the versions that exist side by side is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    pub version: i32,
}

impl Tables {
    /// The statement with this version's table names in the place of `_vN`.
    #[must_use]
    pub fn statement(self, template: &str) -> String {
        template.replace("_vN", &format!("_v{}", self.version))
    }

    /// The statement for one table, whose name takes the place of `TABLE`.
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
