//! Which database is used? An operator's PostgreSQL, or an embedded one.
//!
//! The embedded one is an installed PostgreSQL that this process starts, watches and stops: a child process with full
//! durability, on a Unix socket that nobody else can reach.
//! There is no port and no password: only the owner of the data directory can open the socket, and the system tells
//! PostgreSQL who does.
//!
//! ```text
//! <data directory>/lock         held while a server runs
//! <data directory>/postgres     the cluster, mode 0700
//! <data directory>/socket       the socket, mode 0700
//! <data directory>/pg_hba.conf, pg_ident.conf
//!                               who may connect, written anew at each start
//! <data directory>/postgres.log what the server said since it was started
//! ```
//!
//! Deliberately absent: upgrades to another major version, and any download of PostgreSQL.

mod advised;
pub mod away;
mod binaries;
mod cluster;
mod directory;
pub mod doctor;
mod error;
mod join;
mod keeper;
pub mod lease;
mod leftover;
mod lock;
mod log;
mod memory;
pub mod migrations;
mod owner;
pub mod placement;
pub mod pool;
mod process;
pub mod roles;
mod rules;
mod server;
mod socket;
mod system;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

pub use directory::default_data_directory;
pub use error::StartError;
pub use join::{DatabaseAccess, join_or_start, join_or_start_existing};
pub use keeper::{Keeper, LastEnd};
pub use server::Server;

use binaries::Installation;
use directory::DataDirectory;
use lock::DirectoryLock;
use owner::ClusterOwner;
use rules::Rules;

/// The setting with the directory of the PostgreSQL programs. Error messages refer to it.
pub const BINARIES_SETTING: &str = "POSTGRES_BINARIES";

/// The database that `start` creates if it is missing.
pub const DATABASE: &str = "counterfoil";

/// How many connections a server accepts by default.
pub const MAX_CONNECTIONS_DEFAULT: u16 = 100;

/// How the embedded server is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// The data directory. It is created if it is missing.
    pub data_directory: PathBuf,
    /// The directory of `postgres` and `initdb`. `None`: they are searched in the usual places.
    pub binaries: Option<PathBuf>,
    pub durability: Durability,
    pub max_connections: u16,
}

/// Whether acknowledged commits survive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    On,
    /// Only for clusters of tests: a power failure can corrupt them.
    Off,
}

/// Starts the server of a data directory, and creates the cluster and the database if they are missing.
///
/// Returns when the server accepts connections. A leftover server of an earlier, killed process is stopped first.
///
/// # Errors
///
/// Each `StartError` says what the operator can do about it. Nothing runs after an error.
pub async fn start(options: ServerOptions) -> Result<Server, StartError> {
    start_within(options, lock::PATIENCE).await
}

/// Like [`start`]; `patience` is how long another process has to release the directory.
async fn start_within(options: ServerOptions, patience: Duration) -> Result<Server, StartError> {
    let ServerOptions { data_directory, binaries, durability, max_connections } = options;
    let prepare = move || prepare(&data_directory, binaries.as_deref(), durability, patience);
    let prepared = tokio::task::spawn_blocking(prepare).await.map_err(StartError::Preparation)??;
    let server = server::start(prepared, durability, max_connections).await?;
    ensure_database(&server).await.map_err(StartError::Database)?;
    Ok(server)
}

/// All that a server needs before its process can be started.
struct Prepared {
    directory: DataDirectory,
    lock: DirectoryLock,
    owner: ClusterOwner,
    installation: Installation,
    socket_directory: PathBuf,
    rules: Rules,
}

fn prepare(
    data_directory: &Path,
    binaries: Option<&Path>,
    durability: Durability,
    patience: Duration,
) -> Result<Prepared, StartError> {
    let directory = DataDirectory::open(data_directory)?;
    let lock = DirectoryLock::acquire(&directory, patience)?;
    let owner = ClusterOwner::choose(&directory)?;
    owner.check_reach(&directory)?;
    let major = cluster::find_major(&directory)?;
    let installation = binaries::choose(binaries, major, &directory, &owner)?;
    if major.is_none() {
        cluster::create(&directory, &installation, &owner, durability)?;
    }
    let socket_directory = socket::prepare(&directory, &owner)?;
    let rules = rules::write(&directory, owner)?;
    Ok(Prepared { directory, lock, owner, installation, socket_directory, rules })
}

async fn ensure_database(server: &Server) -> Result<(), sqlx::Error> {
    let options = server.connect_options("postgres").disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    let exists: bool = sqlx::query_scalar(include_str!("database_exists.sql"))
        .bind(DATABASE)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        connection.execute(format!("create database {DATABASE}").as_str()).await?;
    }
    connection.close().await
}
