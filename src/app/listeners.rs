//! At which addresses does the server listen?
//! At one for everybody, and at another one for monitoring, if it is configured.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    http::{self, AppState, Connections},
};

use super::AppError;

/// The listeners. They are opened first, so that an address in use is noticed at once.
pub(super) struct Listeners {
    requests: TcpListener,
    metrics: Option<TcpListener>,
}

/// The addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) requests: SocketAddr,
    pub(super) metrics: Option<SocketAddr>,
}

/// The tasks that serve them. They end when no request is left.
pub(super) struct Servers {
    requests: JoinHandle<io::Result<()>>,
    metrics: Option<JoinHandle<io::Result<()>>>,
    no_more_requests: CancellationToken,
}

impl Listeners {
    pub(super) fn take(config: &Config) -> Result<Self, AppError> {
        let requests = http::listen(config.listen)
            .map_err(|source| AppError::Listen { address: config.listen, source })?;
        let listen =
            |address| http::listen(address).map_err(|source| AppError::ListenForMetrics { address, source });
        Ok(Self { requests, metrics: config.metrics_listen.map(listen).transpose()? })
    }

    pub(super) fn addresses(&self, config: &Config) -> Result<Addresses, AppError> {
        let address = self.requests.local_addr();
        let requests = address.map_err(|source| AppError::Listen { address: config.listen, source })?;
        let metrics = self.metrics.as_ref().and_then(|listener| listener.local_addr().ok());
        Ok(Addresses { requests, metrics })
    }

    pub(super) fn serve(self, state: AppState) -> Servers {
        let no_more_requests = CancellationToken::new();
        let serve = |listener, router, connections| {
            let stop = no_more_requests.clone().cancelled_owned();
            tokio::spawn(http::serve(listener, router, connections, stop))
        };
        let watchers = |listener| serve(listener, http::metrics_router(state.clone()), Connections::few());
        let metrics = self.metrics.map(watchers);
        let connections = Connections::allowed().behind(Arc::clone(&state.settings.proxies));
        let requests = serve(self.requests, http::router(state), connections);
        Servers { requests, metrics, no_more_requests }
    }
}

impl Servers {
    /// Accepts no more requests, and waits until the accepted ones are answered.
    pub(super) async fn stop(self) {
        self.no_more_requests.cancel();
        for server in [Some(self.requests), self.metrics].into_iter().flatten() {
            let ended = server.await.map_err(io::Error::other).flatten();
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "the server ended early");
            }
        }
    }
}
