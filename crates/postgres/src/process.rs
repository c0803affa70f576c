//! How does the server's process start and stop?
//!
//! A separate thread that lives as long as the process starts it, because the kernel ends the server with the *thread*
//! that started it, and threads of the async runtime may end at any time.

use std::fs;
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::lock::DirectoryLock;
use super::system::{self, Signal};

const READY_POLL_MS: u64 = 5;
/// How many seconds the server has to end its sessions and to write a checkpoint.
const FAST_SHUTDOWN_SECONDS_MAX: u64 = 30;
/// How many seconds it has to stop immediately.
const IMMEDIATE_SHUTDOWN_SECONDS_MAX: u64 = 10;

/// The line of `postmaster.pid` with the server's status, from 0.
const STATUS_LINE: usize = 7;

/// The postmaster, as a child process. Dropping it asks it to stop, without waiting for that.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    life: watch::Receiver<Life>,
}

/// Whether the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Ended(ExitStatus),
}

/// The result of waiting for a process's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartProgress {
    /// It accepts connections.
    Ready,
    /// It ended before that. `None`: its status is not known.
    Ended(Option<ExitStatus>),
    /// It is still starting, but the time is over.
    Late,
}

impl Process {
    /// Starts the command on a thread of its own, which holds the lock until the process has ended.
    pub async fn spawn(mut command: Command, log: File, lock: Arc<DirectoryLock>) -> io::Result<Self> {
        command.stdout(log.try_clone()?).stderr(log);
        system::bind_to_parent(&mut command);

        let (tell_pid, pid) = oneshot::channel();
        let (tell_life, life) = watch::channel(Life::Running);
        thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keep(command, tell_pid, &tell_life, lock))?;
        let pid = pid.await.map_err(io::Error::other)??;
        Ok(Self { pid, life })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the server of the cluster accepts connections.
    pub async fn wait_until_ready(&self, cluster: &Path, patience: Duration) -> StartProgress {
        let deadline = Instant::now() + patience;
        let ended = self.exited();
        tokio::pin!(ended);
        loop {
            if self.is_ready(cluster) {
                return StartProgress::Ready;
            }
            if Instant::now() >= deadline {
                return StartProgress::Late;
            }
            tokio::select! {
                status = &mut ended => return StartProgress::Ended(status),
                () = sleep(Duration::from_millis(READY_POLL_MS)) => {}
            }
        }
    }

    /// The file may still be from an earlier server, so its pid is compared.
    fn is_ready(&self, cluster: &Path) -> bool {
        let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else { return false };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let status = text.lines().nth(STATUS_LINE).map(str::trim);
        pid == Some(self.pid) && status == Some("ready")
    }

    /// Resolves when the process has ended. `None`: its status is not known.
    pub fn exited(&self) -> impl Future<Output = Option<ExitStatus>> + Send + 'static {
        let mut life = self.life.clone();
        async move {
            match *life.wait_for(|life| *life != Life::Running).await.ok()? {
                Life::Ended(status) => Some(status),
                Life::Running => None,
            }
        }
    }

    /// Stops the process with ever stronger signals, and waits until it has ended.
    pub async fn stop(&self) {
        let phases = [
            (Signal::FastShutdown, FAST_SHUTDOWN_SECONDS_MAX),
            (Signal::ImmediateShutdown, IMMEDIATE_SHUTDOWN_SECONDS_MAX),
        ];
        for (signal, seconds) in phases {
            self.signal(signal);
            if timeout(Duration::from_secs(seconds), self.exited()).await.is_ok() {
                return;
            }
            tracing::warn!(pid = self.pid, ?signal, seconds, "PostgreSQL has not stopped in time");
        }
        self.signal(Signal::Kill);
        self.exited().await;
    }

    fn signal(&self, signal: Signal) {
        // Until the keeper thread has reported the end, no other process can have the pid.
        if *self.life.borrow() != Life::Running || self.life.has_changed().is_err() {
            return;
        }
        if let Ok(pid) = i32::try_from(self.pid) {
            // An error means that it has just ended, which the keeper thread will report.
            let _ = system::signal(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::FastShutdown);
    }
}

/// The work of the keeper thread while the process runs.
fn keep(
    mut command: Command,
    tell_pid: oneshot::Sender<io::Result<u32>>,
    tell_life: &watch::Sender<Life>,
    lock: Arc<DirectoryLock>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // If nobody waits for the answer, nobody needs it.
            let _ = tell_pid.send(Err(error));
            return;
        }
    };
    if tell_pid.send(Ok(child.id())).is_err() {
        // The start was cancelled in the meantime, so nobody else would stop this process.
        let _ = child.kill();
    }
    let status = child.wait();
    drop(lock);
    match status {
        Ok(status) => {
            tell_life.send_replace(Life::Ended(status));
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot learn how PostgreSQL ended");
        }
    }
}
