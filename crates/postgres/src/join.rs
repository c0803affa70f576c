//! How does a command use the database of a program that serves? Through the socket of the running server.
//!
//! A data directory has one server at a time.
//! A second process connects to it, if it may enter the socket's directory; if no server runs, the command runs one as
//! long as it needs it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep};

use super::directory::DataDirectory;
use super::owner::ClusterOwner;
use super::{
    DATABASE, Keeper, Server, ServerOptions, StartError, cluster, lock, server, socket, start_within,
};

/// How long a server is waited for that another process is just starting or stopping.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A connection to the database of a data directory, with the server if this process runs it.
#[derive(Debug)]
pub enum DatabaseAccess {
    /// Another process runs the server.
    Joined(Box<PgConnectOptions>),
    /// This process started the server, and ends it.
    Started(Server),
    /// This process started the server, restarts it if it ends, and ends it.
    Kept(Keeper),
}

impl DatabaseAccess {
    /// The options for connecting as the role that owns everything.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        match self {
            Self::Joined(options) => options.as_ref().clone(),
            Self::Started(server) => server.connect_options(DATABASE),
            Self::Kept(keeper) => keeper.connect_options(),
        }
    }

    /// Stops the server, if this process started it.
    pub async fn end(self) {
        match self {
            Self::Joined(_) => {}
            Self::Started(server) => server.stop().await,
            Self::Kept(keeper) => keeper.stop().await,
        }
    }
}

/// Connects to the server of a data directory, or starts it if it does not run.
///
/// A command beside a program that serves is to wait for nothing, so each attempt to start gives up soon.
///
/// # Errors
///
/// Like [`start`](super::start); `Locked` if another process holds the directory and its server does not answer.
pub async fn join_or_start(options: ServerOptions) -> Result<DatabaseAccess, StartError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let locked = match start_within(options.clone(), lock::PATIENCE_SHORT).await {
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

/// Like [`join_or_start`], for a command that is to change nothing: no cluster is made.
///
/// # Errors
///
/// Like [`join_or_start`]; `NoCluster` if there is none.
pub async fn join_or_start_existing(options: ServerOptions) -> Result<DatabaseAccess, StartError> {
    if !cluster::may_exist(&options.data_directory) {
        return Err(StartError::NoCluster { directory: options.data_directory });
    }
    join_or_start(options).await
}

/// The server that another process runs, if it answers.
async fn find_running(data_directory: &Path) -> Result<Option<PgConnectOptions>, StartError> {
    let data_directory = data_directory.to_owned();
    let socket_directory = tokio::task::spawn_blocking(move || find_socket(&data_directory))
        .await
        .map_err(StartError::Preparation)??;
    let options = server::connect_options(&socket_directory, DATABASE).disable_statement_logging();
    // The process that starts the server makes the database a moment after the server answers.
    match options.connect().await {
        Ok(connection) => {
            // The session was only a test, so errors while it ends do not matter.
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
