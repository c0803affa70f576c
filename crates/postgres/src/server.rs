//! How is a server started, and what can be asked of it while it runs?

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::time::{Instant, sleep};

use super::advised::QUICK_COMPRESSION;
use super::error::io_error;
use super::log::{self, Log};
use super::process::{Process, StartProgress};
use super::{Durability, Prepared, StartError, advised, leftover, socket};

/// The role that owns everything. Its name does not depend on who runs the server.
pub(super) const SUPERUSER: &str = "counterfoil";

/// How many seconds a start may take. The recovery after a crash is bounded by `max_wal_size`, so this is generous.
const READY_SECONDS_MAX: u64 = 600;
/// For how many seconds the processes of an earlier server may prevent a start.
const LEFTOVER_SECONDS_MAX: u64 = 60;
const LEFTOVER_POLL_MS: u64 = 100;

/// A running server. Dropping it asks the server to stop, without waiting for that.
#[derive(Debug)]
pub struct Server {
    process: Process,
    socket_directory: PathBuf,
}

impl Server {
    /// The options for connecting to a database of this server, as the role that owns everything.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        connect_options(&self.socket_directory, database)
    }

    /// The postmaster's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Resolves when the server has ended, for any reason. `None`: its status is not known.
    pub fn exited(&self) -> impl Future<Output = Option<ExitStatus>> + Send + 'static {
        self.process.exited()
    }

    /// Stops the server: in order, within a time limit, and otherwise immediately.
    /// Acknowledged commits stay in both cases.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// The options for connecting to the server behind a private socket.
pub(super) fn connect_options(socket_directory: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_directory)
        .port(socket::PORT)
        .ssl_mode(PgSslMode::Disable)
        .username(SUPERUSER)
        .database(database)
}

/// Starts the server, and removes what an earlier one left.
pub(super) async fn start(
    prepared: Prepared,
    durability: Durability,
    max_connections: u16,
) -> Result<Server, StartError> {
    let Prepared { directory, lock, owner, installation, socket_directory, rules } = prepared;
    let (program, cluster, lock) = (installation.postgres(), directory.cluster(), Arc::new(lock));
    let log = Log::begin(&directory)?;
    let compression = compression(owner.command(&program), &cluster).await;
    let deadline = Instant::now() + Duration::from_secs(LEFTOVER_SECONDS_MAX);
    loop {
        let mut command = owner.command(&program);
        command.arg("-D").arg(&cluster).arg("-c").arg(format!("wal_compression={compression}"));
        for setting in settings(&socket_directory, durability, max_connections) {
            command.arg("-c").arg(setting);
        }
        for setting in rules.settings() {
            command.arg("-c").arg(setting);
        }
        let said_before = log.length().map_err(io_error("inspect", log.path()))?;
        let output = log.duplicate().map_err(io_error("open", log.path()))?;
        let process =
            Process::spawn(command, output, Arc::clone(&lock)).await.map_err(io_error("run", &program))?;
        match process.wait_until_ready(&cluster, Duration::from_secs(READY_SECONDS_MAX)).await {
            StartProgress::Ready => return Ok(Server { process, socket_directory }),
            StartProgress::Late => {
                process.stop().await;
                return Err(StartError::NotReady { seconds: READY_SECONDS_MAX, log: log.path().to_owned() });
            }
            StartProgress::Ended(status) => {
                let tail = log.tail(said_before);
                if !log::mentions_lock_file(&tail) || Instant::now() >= deadline {
                    return Err(ended_early(status, &log, tail));
                }
                leftover::clear(&cluster, &socket_directory).await?;
                sleep(Duration::from_millis(LEFTOVER_POLL_MS)).await;
            }
        }
    }
}

/// How this server compresses pages in its log: a method that it was not built with would keep it from starting.
async fn compression(postgres: Command, cluster: &Path) -> &'static str {
    let mut postgres = tokio::process::Command::from(postgres);
    postgres.arg("-D").arg(cluster).arg("-c").arg(format!("wal_compression={QUICK_COMPRESSION}"));
    postgres
        .arg("-C")
        .arg("wal_compression")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if postgres.status().await.is_ok_and(|status| status.success()) { QUICK_COMPRESSION } else { "on" }
}

fn ended_early(status: Option<ExitStatus>, log: &Log, tail: String) -> StartError {
    let status = status.map_or_else(|| "status unknown".to_owned(), |status| status.to_string());
    StartError::EndedEarly { status, log: log.path().to_owned(), tail }
}

/// The settings that the program needs. All others can be set in the cluster's `postgresql.conf`.
fn settings(socket_directory: &Path, durability: Durability, max_connections: u16) -> Vec<String> {
    let own = [
        "listen_addresses=".to_owned(),
        format!("port={}", socket::PORT),
        format!("unix_socket_directories={}", socket_directory.display()),
        "unix_socket_permissions=0700".to_owned(),
        format!("max_connections={max_connections}"),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "log_destination=stderr".to_owned(),
        "logging_collector=off".to_owned(),
        format!("log_line_prefix={}", log::LINE_PREFIX),
        "log_checkpoints=off".to_owned(),
        // Statements and details of errors contain data, which must not be logged.
        "log_min_error_statement=panic".to_owned(),
        "log_error_verbosity=terse".to_owned(),
        "cluster_name=counterfoil".to_owned(),
    ];
    own.into_iter().chain(advised::at_start(durability)).collect()
}
