//! What does a read model do with events? It is a consumer of them.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::{
    consumer::{Consumer, FailureRule, HandleError, Pass},
    domain::recorded::RecordedEvent,
    projections::{ApplyError, OnFailure, Projection, Tables},
};

use super::versions;

/// Each version of its tables is a pass of its own.
pub(super) struct ReadModel(pub Arc<dyn Projection>);

impl Consumer for ReadModel {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn on_failure(&self) -> FailureRule {
        match self.0.on_failure() {
            OnFailure::Park => FailureRule::Park,
            OnFailure::Stop => FailureRule::Stop,
        }
    }

    fn current_pass<'a>(
        &'a self,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<Pass, sqlx::Error>> {
        versions::live(connection, self.0.name()).boxed()
    }

    fn handle<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        pass: Pass,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        self.0.apply(events, Tables { version: pass.0 }, connection).map(|applied| Ok(applied?)).boxed()
    }
}

impl From<ApplyError> for HandleError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Unfit { position, reason } => Self::Unfit { position, reason },
            ApplyError::Database(error) => Self::Database(error),
        }
    }
}
