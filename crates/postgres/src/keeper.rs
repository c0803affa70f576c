//! Who restarts the embedded server if it ends? A program that serves does, a few times.
//!
//! Acknowledged commits are on disk, so a server that was killed, or ran out of memory, comes back as it was.
//! If it ends again and again, there is a reason that an operator has to find.

use std::collections::VecDeque;
use std::future::Future;
use std::process::ExitStatus;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{DATABASE, Server, ServerOptions, start};

/// The most starts within [`STARTS_WITHIN`].
const STARTS_MAX: usize = 5;
const STARTS_WITHIN: Duration = Duration::from_mins(10);
/// The pause before a second attempt; each further pause is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// The exit status of the server's last end. `None`: it is not known.
pub type LastEnd = Option<ExitStatus>;

/// A server that is restarted. Dropping it asks the server to stop, without waiting for that.
#[derive(Debug)]
pub struct Keeper {
    connect_options: Box<PgConnectOptions>,
    stop: oneshot::Sender<()>,
    /// `Some` once it is no longer restarted.
    given_up: watch::Receiver<Option<LastEnd>>,
    keeping: JoinHandle<()>,
}

impl Keeper {
    /// Watches a server that was started with these options.
    #[must_use]
    pub fn of(server: Server, options: ServerOptions) -> Self {
        let connect_options = Box::new(server.connect_options(DATABASE));
        let (stop, stopped) = oneshot::channel();
        let (give_up, given_up) = watch::channel(None);
        let keeping = tokio::spawn(keep(server, options, stopped, give_up));
        Self { connect_options, stop, given_up, keeping }
    }

    /// The options for connecting to the program's database.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.connect_options.as_ref().clone()
    }

    /// Resolves when the server has ended and is not restarted.
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

    /// Stops the server in order.
    pub async fn stop(self) {
        let Self { stop, keeping, .. } = self;
        // If it was given up, nobody listens, and there is nothing to stop.
        let _ended = stop.send(());
        if let Err(error) = keeping.await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the embedded PostgreSQL may not have been stopped"
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

/// Restarts the server. `None`: it was tried too often.
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
