//! How does a command use the database of a program that serves? Through the socket of the server that runs.
//!
//! A data directory has one server at a time. Whoever comes second connects to it, if the system lets them enter the
//! socket's directory; when nobody runs one, the command runs it for as long as it needs it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep};

use super::directory::DataDirectory;
use super::owner::ClusterOwner;
use super::{DATABASE, Keeper, Server, ServerOptions, StartError, server, socket, start};

/// How long a server that another process is just starting or stopping is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A way to the database of a data directory.
#[derive(Debug)]
pub enum DatabaseAccess {
    /// Another process runs it.
    Joined(Box<PgConnectOptions>),
    /// It was started, and ends with this.
    Started(Server),
    /// It was started, is started again where it ends by itself, and ends with this.
    Kept(Keeper),
}

impl DatabaseAccess {
    /// How to connect, as the role that owns everything.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        match self {
            Self::Joined(options) => options.as_ref().clone(),
            Self::Started(server) => server.connect_options(DATABASE),
            Self::Kept(keeper) => keeper.connect_options(),
        }
    }

    /// Stops the server if it was started for this.
    pub async fn end(self) {
        match self {
            Self::Joined(_) => {}
            Self::Started(server) => server.stop().await,
            Self::Kept(keeper) => keeper.stop().await,
        }
    }
}

/// Connects to the server of a data directory, or starts it where nobody runs it.
///
/// # Errors
///
/// As [`start`]; `Locked` when another process holds the directory and its server does not answer.
pub async fn join_or_start(options: ServerOptions) -> Result<DatabaseAccess, StartError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let locked = match start(options.clone()).await {
            Ok(server) => return Ok(DatabaseAccess::Started(server)),
            Err(locked @ StartError::Locked { .. }) => locked,
            Err(error) => return Err(error),
        };
        if let Some(running) = find_running(&options.data_directory).await? {
            return Ok(DatabaseAccess::Joined(Box::new(running)));
        }
        if Instant::now() >= deadline {
            return Err(locked);
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// The server that another process runs, if it answers.
async fn find_running(data_directory: &Path) -> Result<Option<PgConnectOptions>, StartError> {
    let data_directory = data_directory.to_owned();
    let socket_directory = tokio::task::spawn_blocking(move || find_socket(&data_directory))
        .await
        .map_err(StartError::Preparation)??;
    let options = server::connect_options(&socket_directory, DATABASE).disable_statement_logging();
    // The database is made by whoever starts the server, a moment after it answers.
    match options.connect().await {
        Ok(connection) => {
            // The session was only a question; how it ends says nothing.
            drop(connection.close().await);
            Ok(Some(options))
        }
        Err(_) => Ok(None),
    }
}

fn find_socket(data_directory: &Path) -> Result<PathBuf, StartError> {
    let directory = DataDirectory::open(data_directory)?;
    let owner = ClusterOwner::choose(&directory)?;
    socket::prepare(&directory, &owner)
}
