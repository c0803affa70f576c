//! Who starts the embedded server again when it has ended by itself? A program that serves, a few times.
//!
//! What was acknowledged is on disk, so a server that was killed, or that ran out of memory, comes back as it was. One
//! that ends again and again does so for a reason that an operator has to see.

use std::collections::VecDeque;
use std::future::Future;
use std::process::ExitStatus;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{DATABASE, Server, ServerOptions, start};

/// So many starts within [`STARTS_WITHIN`] are tried, and no more.
const STARTS_MAX: usize = 5;
const STARTS_WITHIN: Duration = Duration::from_mins(10);
/// The pause before a second try at once; each further one waits twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// How the server ended for the last time. The status is `None` where it could not be learned.
pub type LastEnd = Option<ExitStatus>;

/// A server that is started again. Dropping it asks the server to stop, without waiting for that.
#[derive(Debug)]
pub struct Keeper {
    connect_options: Box<PgConnectOptions>,
    stop: oneshot::Sender<()>,
    /// `Some` once it is given up.
    given_up: watch::Receiver<Option<LastEnd>>,
    keeping: JoinHandle<()>,
}

impl Keeper {
    /// Keeps a server that was started with these options.
    #[must_use]
    pub fn of(server: Server, options: ServerOptions) -> Self {
        let connect_options = Box::new(server.connect_options(DATABASE));
        let (stop, stopped) = oneshot::channel();
        let (give_up, given_up) = watch::channel(None);
        let keeping = tokio::spawn(keep(server, options, stopped, give_up));
        Self { connect_options, stop, given_up, keeping }
    }

    /// How to connect to the program's database.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.connect_options.as_ref().clone()
    }

    /// Resolves when the server has ended by itself and is not started again.
    pub fn ended(&self) -> impl Future<Output = LastEnd> + Send + 'static {
        let mut given_up = self.given_up.clone();
        async move {
            let ended = given_up.wait_for(Option::is_some).await.ok().map(|ended| ended.flatten());
            match ended {
                Some(ended) => ended,
                // It was stopped.
                None => std::future::pending().await,
            }
        }
    }

    /// Stops the server, in order.
    pub async fn stop(self) {
        let Self { stop, keeping, .. } = self;
        // Where it was given up, nobody listens, and nothing is left to stop.
        let _ended = stop.send(());
        if let Err(error) = keeping.await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the embedded PostgreSQL was left alone"
            );
        }
    }
}

async fn keep(
    mut server: Server,
    options: ServerOptions,
    mut stop: oneshot::Receiver<()>,
    give_up: watch::Sender<Option<LastEnd>>,
) {
    let mut starts: VecDeque<Instant> = VecDeque::new();
    loop {
        let ended = tokio::select! {
            _ = &mut stop => return server.stop().await,
            ended = server.exited() => ended,
        };
        let status = ended.map(tracing::field::display);
        tracing::error!(status, "THE EMBEDDED POSTGRESQL ENDED by itself, and is started again");
        metrics::counter!("counterfoil_postgres_ended_total").increment(1);
        server = tokio::select! {
            _ = &mut stop => return,
            started = start_again(&options, &mut starts) => match started {
                Some(server) => server,
                None => {
                    give_up.send_replace(Some(ended));
                    return;
                }
            },
        };
        tracing::warn!("the embedded PostgreSQL runs again");
    }
}

/// Tries until it runs, or until it was tried too often.
async fn start_again(options: &ServerOptions, starts: &mut VecDeque<Instant>) -> Option<Server> {
    let mut pause = PAUSE_FIRST;
    loop {
        starts.retain(|at| at.elapsed() < STARTS_WITHIN);
        if starts.len() >= STARTS_MAX {
            return None;
        }
        starts.push_back(Instant::now());
        match start(options.clone()).await {
            Ok(server) => return Some(server),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the embedded PostgreSQL does not start"
                );
            }
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2);
    }
}
