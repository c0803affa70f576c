//! What can fail?

use crate::{consumer::ConsumerError, postgres::placement::PlacementError};

#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    #[error("there is no read model `{projection}`")]
    Unknown { projection: String },
    #[error(
        "`{projection}` is being rebuilt by another process; if that one was killed, try again in some seconds"
    )]
    RebuildUnderWay { projection: String },
    #[error("another program has grown the ledger meanwhile; try again")]
    Grown,
    #[error("the rebuild stopped: {reason}")]
    RebuildStopped { reason: String },
    /// Somebody has changed the checkpoint, or events are missing.
    #[error("the live version is at position {position}, which the journal does not have")]
    PositionMissing { position: i64 },
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
}

impl ProjectorError {
    /// Whether the read model cannot be built, however often it is tried.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::RebuildStopped { .. } | Self::PositionMissing { .. } => true,
            Self::Consumer(error) => error.is_lasting(),
            Self::Unknown { .. }
            | Self::RebuildUnderWay { .. }
            | Self::Grown
            | Self::Database(_)
            | Self::Placement(_) => false,
        }
    }
}
