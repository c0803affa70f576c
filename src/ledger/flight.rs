//! How does a batch travel to the journal, while the next one forms?

use std::task::Poll;

use rustc_hash::FxHashSet;
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::{
    domain::time::Timestamp,
    journal::{
        append::{self, AppendError},
        claims::{self, Claim},
        recorded::Position,
        row::NewRow,
    },
};

use super::batch::Batch;

/// A batch on its way into the journal.
pub(super) struct Flight {
    pub(super) batch: Batch,
    append: JoinHandle<Landed>,
}

/// What became of a batch.
pub(super) struct Landed {
    /// `None` when it is not to be used again: an append may still be on it.
    pub(super) connection: Option<PgConnection>,
    pub(super) appended: Result<Position, AppendError>,
    /// The indexes of decisions without events that are not known to hold.
    pub(super) outdated: FxHashSet<usize>,
}

impl Flight {
    /// Returns when the rows have been handed to the kernel, or as many of them as it takes at once.
    pub(super) async fn start(batch: Batch, cargo: Cargo, connection: PgConnection) -> Self {
        let mut append = Box::pin(cargo.fly(connection));
        // A task of its own would first wait for its turn, behind everybody who is about to be answered.
        let append = match futures::poll!(&mut append) {
            Poll::Ready(landed) => tokio::spawn(std::future::ready(landed)),
            Poll::Pending => tokio::spawn(append),
        };
        Self { batch, append }
    }
}

/// What goes to the journal of a batch.
pub(super) struct Cargo {
    pub(super) shard: i16,
    /// Where the journal must end for the rows to be right.
    pub(super) expected: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) rows: Vec<NewRow>,
    /// What decisions without events rest on, and the index of each in its batch.
    pub(super) claims: (Vec<usize>, Vec<Claim>),
}

impl Cargo {
    /// Stores the rows, and then looks at the claims.
    async fn fly(self, mut connection: PgConnection) -> Landed {
        let appended =
            if self.rows.is_empty() { Ok(self.expected) } else { self.append(&mut connection).await };
        match appended {
            Err(error @ AppendError::Unknown(_)) => {
                Landed { connection: None, appended: Err(error), outdated: FxHashSet::default() }
            }
            Ok(position) if !self.claims.0.is_empty() => self.look(connection, position).await,
            Ok(_) | Err(_) => {
                Landed { connection: Some(connection), appended, outdated: FxHashSet::default() }
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

    async fn look(&self, mut connection: PgConnection, position: Position) -> Landed {
        let appended = Ok(position);
        let (indexes, claims) = &self.claims;
        match claims::find_outdated(&mut connection, self.shard, claims).await {
            Ok(outdated) => {
                let outdated = outdated.iter().filter_map(|at| indexes.get(*at).copied()).collect();
                Landed { connection: Some(connection), appended, outdated }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "refusals are decided again");
                Landed { connection: None, appended, outdated: indexes.iter().copied().collect() }
            }
        }
    }
}

/// Waits for a flight to land. Without one, for ever.
pub(super) async fn land(flight: &mut Option<Flight>) -> Landed {
    let Some(flight) = flight else {
        return std::future::pending().await;
    };
    match (&mut flight.append).await {
        Ok(landed) => landed,
        Err(panic) => Landed {
            connection: None,
            appended: Err(AppendError::Unknown(sqlx::Error::Io(std::io::Error::other(panic)))),
            outdated: FxHashSet::default(),
        },
    }
}
