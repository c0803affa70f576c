//! How are connections accepted, and how do they end?
//!
//! Each connection has its own task, and speaks only HTTP/1.1.
//! Callers that send nothing, or do not read their answer, are disconnected.
//! When the server stops, it accepts no new connections, answers every request that it has accepted, and then closes
//! the connections.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::Service;

use super::{
    address_limit::Peer,
    connections::{ConnectionPlace, Connections},
};

/// How many connections may wait to be accepted. If there are more, callers wait for seconds.
const BACKLOG: u32 = 4_096;
/// How long a caller may take to send the head of its first request.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to send the head of a further request, including the pause before it.
/// This is longer than common connection pools and load balancers keep a connection, so that they close it first.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a caller may read nothing of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of an answer the system buffers for a caller.
const SEND_BUFFER: usize = 128 * 1024;
/// How many bytes of a connection are read ahead. The head of a request has to fit.
const READ_AHEAD: usize = 16 * 1024;
/// How long answers may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait if no connection can be accepted, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address.
///
/// # Errors
/// If it is in use, or not one of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` resolves, and then until all accepted requests are answered.
///
/// # Errors
/// If the listener cannot accept connections.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let peer = Peer(peer.ip());
                    match connections.take(peer) {
                        Some(place) => {
                            tokio::spawn(answer(stream, peer, place, router.clone(), graceful.watcher()));
                        }
                        None => tracing::debug!("a peer has its share of connections"),
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection was taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    tracing::info!("no more connections are taken; what was accepted is answered");
    if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
    Ok(())
}

async fn answer(stream: TcpStream, peer: Peer, place: ConnectionPlace, router: Router, watcher: Watcher) {
    // Answers are small and complete, so waiting for more data to send would only delay them.
    let prepared = stream.set_nodelay(true);
    if let Err(error) = prepared.and_then(|()| SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)) {
        tracing::debug!(error = &error as &dyn std::error::Error, "the connection is gone already");
        return;
    }
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(WRITE_TIMEOUT));
    let has_asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (place, has_asked) = (place.clone(), Arc::clone(&has_asked));
        move |request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            let (mut router, place) = (router.clone(), place.clone());
            let mut request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(place.clone());
            async move {
                let answered = router.call(request).await;
                place.waits();
                answered
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(stream), service);
    let says_nothing = async {
        tokio::time::sleep(FIRST_HEAD_TIMEOUT).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        // A caller that disconnected, or did not speak HTTP, is not worth a warning.
        ended = watcher.watch(connection) => if let Err(error) = ended {
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
        },
        () = place.is_to_leave() => tracing::debug!("a connection left its place to another one"),
        () = says_nothing => tracing::debug!("a connection said nothing"),
    }
}
