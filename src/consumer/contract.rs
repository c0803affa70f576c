//! What is a consumer, for the code that runs it?

use std::future::ready;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::recorded::RecordedEvent;

/// Handles each event of the journal, in their order and exactly once.
///
/// Implementations hold no state: whatever an event leads to is in tables, which change in one transaction with the
/// checkpoint. What leaves the database, such as an e-mail, is a row in a table of what is to be sent.
pub trait Consumer: Send + Sync + 'static {
    /// The name under which its checkpoints are stored. It never changes.
    fn name(&self) -> &'static str;

    fn on_failure(&self) -> FailureRule {
        FailureRule::Park
    }

    /// The pass that callers wait for: the first one, unless the consumer has others beside it.
    fn current_pass<'a>(
        &'a self,
        _connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<Pass, sqlx::Error>> {
        ready(Ok(Pass::FIRST)).boxed()
    }

    /// Handles `events`, on the connection's open transaction, in which the checkpoint moves too.
    fn handle<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        pass: Pass,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), HandleError>>;
}

/// One way of a consumer through the journal, from the first event on, with checkpoints of its own.
///
/// A consumer whose work can be done again has another one beside that which counts, such as the rebuild of a read
/// model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pass(pub i32);

impl Pass {
    pub const FIRST: Self = Self(1);
}

/// What happens if an event cannot be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureRule {
    /// The event's account is parked, and the others go on.
    Park,
    /// The consumer stops.
    Stop,
}

#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event is the cause: trying again would fail again.
    #[error("the event at position {position} cannot be applied: {reason}")]
    Unfit { position: i64, reason: String },
    #[error("the database refused the rows")]
    Database(#[from] sqlx::Error),
}
