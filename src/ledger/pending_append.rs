//! How is a batch stored while the next one forms?

use std::task::Poll;

use sqlx::PgConnection;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::journal::append::{self, AppendError};

use super::{
    group_commit::SharedAppend,
    sequencer::{AppendFailure, AppendRequest, Appended},
    store_batch::measured,
};

/// A batch that is being stored.
pub(super) enum PendingAppend {
    Alone(JoinHandle<AppendResult>),
    Shared(oneshot::Receiver<SharedAppend>),
}

/// The result of storing a batch.
pub(super) enum AppendResult {
    Done {
        /// `None`: the shard's connection was not used, or cannot be used again, since an append may still be running.
        connection: Option<PgConnection>,
        appended: Result<Appended, AppendError>,
    },
    /// Nothing is stored. The shard has to append it by itself.
    NotShared(Box<AppendRequest>),
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
        Self::Alone(match futures::poll!(&mut append) {
            Poll::Ready(result) => tokio::spawn(std::future::ready(result)),
            Poll::Pending => tokio::spawn(append),
        })
    }

    async fn result(&mut self) -> AppendResult {
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| AppendResult::Done {
            connection: None,
            appended: Err(AppendError::Unknown(sqlx::Error::Io(std::io::Error::other(error)))),
        };
        match self {
            Self::Alone(append) => append.await.unwrap_or_else(|panic| broken(panic.into())),
            Self::Shared(append) => match append.await {
                Ok(SharedAppend::Done(appended)) => AppendResult::Done { connection: None, appended },
                Ok(SharedAppend::NotShared(request)) => AppendResult::NotShared(request),
                Err(gone) => broken(gone.into()),
            },
        }
    }
}

impl AppendRequest {
    /// Stores the rows, and then checks the preconditions.
    async fn send(self, mut connection: PgConnection) -> AppendResult {
        let block = self.block();
        let appended = if block.rows.is_empty() {
            Ok(self.expected)
        } else {
            measured(&[block], append::append(&mut connection, block)).await
        };
        match appended {
            Err(error) => {
                let is_usable = !matches!(error, AppendError::Unknown(_));
                AppendResult::Done { connection: is_usable.then_some(connection), appended: Err(error) }
            }
            Ok(position) => {
                let outdated = self.find_outdated(&mut connection).await;
                let connection = outdated.is_ok().then_some(connection);
                let outdated = outdated.unwrap_or_else(|all| all);
                AppendResult::Done { connection, appended: Ok(Appended { position, outdated }) }
            }
        }
    }
}

/// Waits for the result of a batch. Without a batch, this never returns.
pub(super) async fn completed(pending: &mut Option<PendingAppend>) -> AppendResult {
    let Some(append) = pending else {
        return std::future::pending().await;
    };
    let result = append.result().await;
    *pending = None;
    result
}
