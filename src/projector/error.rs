//! What can fail?

use crate::consumer::ConsumerError;

#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    #[error("there is no read model `{projection}`")]
    Unknown { projection: String },
    #[error("`{projection}` is being rebuilt already, or an unfinished rebuild was left; drop it first")]
    RebuildUnderWay { projection: String },
    #[error("the rebuild stopped: {reason}")]
    RebuildStopped { reason: String },
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
}
