//! Why did the program not start?

use std::{io, net::SocketAddr};

use crate::{auth::keys::KeyError, projector::ProjectorError};

use super::{DatabaseError, mode::ModeError};

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(
        "cannot listen for requests at {address}; set another address with COUNTERFOIL_LISTEN or --listen"
    )]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error(
        "cannot listen for metrics at {address}; set another address with COUNTERFOIL_METRICS_LISTEN or --metrics-listen"
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
    #[error("HTTPS requests cannot be sent from this machine")]
    Client(#[from] reqwest::Error),
    #[error("the read models cannot be started")]
    Projector(#[from] ProjectorError),
}
