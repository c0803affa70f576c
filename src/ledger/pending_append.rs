//! How is a batch stored while the next one forms?

use std::task::Poll;

use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::{
    domain::recorded::Position,
    journal::{
        append::{self, AppendError},
        preconditions,
    },
};

use super::sequencer::{AppendFailure, AppendRequest, Appended};

/// A batch that is being stored.
pub(super) struct PendingAppend(JoinHandle<AppendResult>);

/// The result of storing a batch.
pub(super) struct AppendResult {
    /// `None`: the connection cannot be used again, since an append may still be running on it.
    pub(super) connection: Option<PgConnection>,
    pub(super) appended: Result<Appended, AppendError>,
}

impl From<AppendError> for AppendFailure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Stale | AppendError::Grown | AppendError::Taken | AppendError::Refused(_) => {
                Self::NotStored
            }
            AppendError::Unknown(_) => Self::Unknown,
        }
    }
}

impl PendingAppend {
    /// Returns when the rows have been written to the socket, or as many of them as it accepts at once.
    pub(super) async fn start(request: AppendRequest, connection: PgConnection) -> Self {
        let mut append = Box::pin(request.send(connection));
        // In a new task, the append would have to wait behind all callers that are about to be answered.
        Self(match futures::poll!(&mut append) {
            Poll::Ready(result) => tokio::spawn(std::future::ready(result)),
            Poll::Pending => tokio::spawn(append),
        })
    }
}

impl AppendRequest {
    /// Stores the rows, and then checks the preconditions.
    async fn send(self, mut connection: PgConnection) -> AppendResult {
        let appended =
            if self.rows.is_empty() { Ok(self.expected) } else { self.append(&mut connection).await };
        match appended {
            Err(error @ AppendError::Unknown(_)) => AppendResult { connection: None, appended: Err(error) },
            Err(error) => AppendResult { connection: Some(connection), appended: Err(error) },
            Ok(position) => self.look(connection, position).await,
        }
    }

    async fn append(&self, connection: &mut PgConnection) -> Result<Position, AppendError> {
        let Self { shard, shardings, expected, recorded_at, rows, .. } = self;
        metrics::histogram!("counterfoil_batch_events")
            .record(f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX)));
        let started = std::time::Instant::now();
        let appended = append::append(connection, *shard, *shardings, *expected, *recorded_at, rows).await;
        metrics::histogram!("counterfoil_commit_seconds").record(started.elapsed().as_secs_f64());
        appended
    }

    async fn look(&self, mut connection: PgConnection, position: Position) -> AppendResult {
        let Self { shard, preconditions, .. } = self;
        if preconditions.is_empty() {
            let appended = Ok(Appended { position, outdated: Vec::new() });
            return AppendResult { connection: Some(connection), appended };
        }
        match preconditions::find_outdated(&mut connection, *shard, preconditions).await {
            Ok(outdated) => {
                AppendResult { connection: Some(connection), appended: Ok(Appended { position, outdated }) }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "refusals are decided again");
                let outdated = (0..preconditions.len()).collect();
                AppendResult { connection: None, appended: Ok(Appended { position, outdated }) }
            }
        }
    }
}

/// Waits for the result of a batch. Without a batch, this never returns.
pub(super) async fn completed(pending: &mut Option<PendingAppend>) -> AppendResult {
    let Some(PendingAppend(append)) = pending else {
        return std::future::pending().await;
    };
    let result = append.await.unwrap_or_else(|panic| AppendResult {
        connection: None,
        appended: Err(AppendError::Unknown(sqlx::Error::Io(std::io::Error::other(panic)))),
    });
    *pending = None;
    result
}
