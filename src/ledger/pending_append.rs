//! How does a batch travel to the journal, while the next one forms?

use std::task::Poll;

use rustc_hash::FxHashSet;
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::{
    domain::{recorded::Position, time::Timestamp},
    journal::{
        append::{self, AppendError},
        preconditions::{self, Precondition},
        row::NewRow,
    },
};

use super::batch::PendingBatch;

/// A batch on its way into the journal.
pub(super) struct PendingAppend {
    pub(super) batch: PendingBatch,
    append: JoinHandle<AppendResult>,
}

/// What became of a batch.
pub(super) struct AppendResult {
    /// `None` when it is not to be used again: an append may still be on it.
    pub(super) connection: Option<PgConnection>,
    pub(super) appended: Result<Position, AppendError>,
    /// The indexes of decisions without events that are not known to hold.
    pub(super) outdated: FxHashSet<usize>,
}

impl PendingAppend {
    /// Returns when the rows have been handed to the kernel, or as many of them as it takes at once.
    pub(super) async fn start(batch: PendingBatch, append: AppendRequest, connection: PgConnection) -> Self {
        let mut append = Box::pin(append.send(connection));
        // A task of its own would first wait for its turn, behind everybody who is about to be answered.
        let append = match futures::poll!(&mut append) {
            Poll::Ready(landed) => tokio::spawn(std::future::ready(landed)),
            Poll::Pending => tokio::spawn(append),
        };
        Self { batch, append }
    }
}

/// What goes to the journal of a batch.
pub(super) struct AppendRequest {
    pub(super) shard: i16,
    /// Where the journal must end for the rows to be right.
    pub(super) expected: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) rows: Vec<NewRow>,
    /// What decisions without events rest on, and the index of each in its batch.
    pub(super) claims: (Vec<usize>, Vec<Precondition>),
}

impl AppendRequest {
    /// Stores the rows, and then looks at the claims.
    async fn send(self, mut connection: PgConnection) -> AppendResult {
        let appended =
            if self.rows.is_empty() { Ok(self.expected) } else { self.append(&mut connection).await };
        match appended {
            Err(error @ AppendError::Unknown(_)) => {
                AppendResult { connection: None, appended: Err(error), outdated: FxHashSet::default() }
            }
            Ok(position) if !self.claims.0.is_empty() => self.look(connection, position).await,
            Ok(_) | Err(_) => {
                AppendResult { connection: Some(connection), appended, outdated: FxHashSet::default() }
            }
        }
    }

    async fn append(&self, connection: &mut PgConnection) -> Result<Position, AppendError> {
        let Self { shard, expected, recorded_at, rows, .. } = self;
        metrics::histogram!("counterfoil_batch_events")
            .record(f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX)));
        let started = std::time::Instant::now();
        let appended = append::append(connection, *shard, *expected, *recorded_at, rows).await;
        metrics::histogram!("counterfoil_commit_seconds").record(started.elapsed().as_secs_f64());
        appended
    }

    async fn look(&self, mut connection: PgConnection, position: Position) -> AppendResult {
        let appended = Ok(position);
        let (indexes, claims) = &self.claims;
        match preconditions::find_outdated(&mut connection, self.shard, claims).await {
            Ok(outdated) => {
                let outdated = outdated.iter().filter_map(|at| indexes.get(*at).copied()).collect();
                AppendResult { connection: Some(connection), appended, outdated }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "refusals are decided again");
                AppendResult { connection: None, appended, outdated: indexes.iter().copied().collect() }
            }
        }
    }
}

/// Waits for a pending to completed. Without one, for ever.
pub(super) async fn completed(pending: &mut Option<PendingAppend>) -> AppendResult {
    let Some(pending) = pending else {
        return std::future::pending().await;
    };
    match (&mut pending.append).await {
        Ok(landed) => landed,
        Err(panic) => AppendResult {
            connection: None,
            appended: Err(AppendError::Unknown(sqlx::Error::Io(std::io::Error::other(panic)))),
            outdated: FxHashSet::default(),
        },
    }
}
