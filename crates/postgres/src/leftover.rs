//! What did an earlier server leave, and how is it removed?
//!
//! After the process was killed, its server may still run or be stopping.
//! Or only its lock files are left, with the pid of what is another process by now, so that PostgreSQL refuses to
//! start; this is common in containers, where pids start again from one.
//!
//! This process holds the data directory's lock, so every running server is a leftover.
//! A pid alone is not trusted: a server is a process that answers on the private socket, or that works in the cluster's
//! directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::error::io_error;
use super::system::{self, Signal};
use super::{StartError, socket};

/// How many seconds a leftover server has to shut down in order.
const FAST_SHUTDOWN_SECONDS_MAX: u64 = 30;
/// How many seconds it has after that, before the start fails.
const IMMEDIATE_SHUTDOWN_SECONDS_MAX: u64 = 10;
const POLL_MS: u64 = 10;

/// Removes what is left of an earlier server. If it still runs, the caller tries again.
pub(super) async fn clear(cluster: &Path, socket_directory: &Path) -> Result<(), StartError> {
    if let Some(pid) = find_answering(&socket::path(socket_directory)).await {
        tracing::warn!(pid, "stopping the PostgreSQL that an earlier process left behind");
        stop(pid).await;
        return Ok(());
    }
    let lock_of_socket = socket_directory.join(format!(".s.PGSQL.{}.lock", socket::PORT));
    for path in [cluster.join("postmaster.pid"), lock_of_socket] {
        remove_if_stale(&path, cluster).map_err(io_error("remove", &path))?;
    }
    Ok(())
}

/// The pid of the server behind a socket, from the kernel.
async fn find_answering(path: &Path) -> Option<i32> {
    let stream = UnixStream::connect(path).await.ok()?;
    stream.peer_cred().ok()?.pid().filter(|pid| *pid > 0)
}

async fn stop(pid: i32) {
    let phases = [
        (Signal::FastShutdown, FAST_SHUTDOWN_SECONDS_MAX),
        (Signal::ImmediateShutdown, IMMEDIATE_SHUTDOWN_SECONDS_MAX),
    ];
    for (signal, seconds) in phases {
        // An error means that it has ended, which the next line checks.
        let _ = system::signal(pid, signal);
        if has_gone(pid, Duration::from_secs(seconds)).await {
            return;
        }
    }
}

async fn has_gone(pid: i32, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while system::is_alive(pid) {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(POLL_MS)).await;
    }
    true
}

/// Removes a lock file whose pid belongs to a process that is not a server of this cluster.
///
/// PostgreSQL itself removes the file of a process that has ended.
/// It also notices other processes of an earlier server, by their shared memory, so removing the file is safe.
fn remove_if_stale(path: &Path, cluster: &Path) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
    let Some(directory) = pid.and_then(find_working_directory) else { return Ok(()) };
    if directory == cluster.canonicalize()? {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), pid, "removing a lock file whose pid belongs to another process");
    fs::remove_file(path)
}

/// The working directory of a process. A postmaster and its children work in the cluster's directory.
#[cfg(target_os = "linux")]
fn find_working_directory(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Other systems do not show it, so the file stays, and PostgreSQL's own error says what is wrong.
#[cfg(not(target_os = "linux"))]
fn find_working_directory(_pid: i32) -> Option<PathBuf> {
    None
}
