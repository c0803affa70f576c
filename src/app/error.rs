//! Why did the program not start?

use std::{io, net::SocketAddr};

use crate::{auth::keys::KeyError, projector::ProjectorError};

use super::{DatabaseError, mode::ModeError};

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("requests cannot be taken at {address}; COUNTERFOIL_LISTEN or --listen names another address")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error(
        "metrics cannot be answered at {address}; COUNTERFOIL_METRICS_LISTEN or --metrics-listen names another address"
    )]
    ListenForMetrics {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Mode(#[from] ModeError),
    #[error("the database does not answer")]
    Query(#[from] sqlx::Error),
    #[error("the first API key could not be made")]
    Keys(#[from] KeyError),
    #[error("Stripe cannot be asked with these settings")]
    Stripe(#[from] reqwest::Error),
    #[error("the read models cannot be followed")]
    Projector(#[from] ProjectorError),
}
