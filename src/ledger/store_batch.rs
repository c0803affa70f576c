//! What does it take to store a batch, alone or with others: a connection, its block, and a look at its preconditions?

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::journal::{
    append::{AppendError, NewBlock},
    preconditions,
};

use super::sequencer::AppendRequest;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

impl AppendRequest {
    pub(super) fn block(&self) -> NewBlock<'_> {
        let Self { shard, shardings, expected, recorded_at, rows, .. } = self;
        let (shard, shardings, expected, recorded_at) = (*shard, *shardings, *expected, *recorded_at);
        NewBlock { shard, shardings, expected, recorded_at, rows }
    }

    /// The indexes of the preconditions that do not hold.
    ///
    /// # Errors
    /// All of them, if the connection cannot be used any more.
    pub(super) async fn find_outdated(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<usize>, Vec<usize>> {
        let Self { shard, preconditions, .. } = self;
        if preconditions.is_empty() {
            return Ok(Vec::new());
        }
        preconditions::find_outdated(connection, *shard, preconditions).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "refusals are decided again");
            (0..preconditions.len()).collect()
        })
    }
}

/// Counts the events of blocks, and how long it takes to append them. Without blocks there is nothing to count.
pub(super) async fn measured<T>(
    blocks: &[NewBlock<'_>],
    append: impl Future<Output = Result<T, AppendError>>,
) -> Result<T, AppendError> {
    for block in blocks {
        metrics::histogram!("counterfoil_batch_events")
            .record(f64::from(u32::try_from(block.rows.len()).unwrap_or(u32::MAX)));
    }
    let started = Instant::now();
    let appended = append.await;
    if !blocks.is_empty() {
        metrics::histogram!("counterfoil_commit_seconds").record(started.elapsed().as_secs_f64());
    }
    appended
}

/// A connection, unless it takes too long.
pub(super) async fn open_connection(options: &PgConnectOptions) -> Option<PgConnection> {
    tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await.ok()?.ok()
}
