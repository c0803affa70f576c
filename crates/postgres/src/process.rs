//! How does the server's process start and stop?
//!
//! It is started by a keeper thread that lasts as long as the process does, because the kernel's promise to end the
//! server with its parent is about the *thread* that started it. A thread of the async runtime may end at any time.

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
/// How long the server gets to end its sessions and to write a checkpoint.
const FAST_SHUTDOWN_SECONDS_MAX: u64 = 30;
/// How long it gets to stop at once.
const IMMEDIATE_SHUTDOWN_SECONDS_MAX: u64 = 10;

/// The line of `postmaster.pid` that says how far the server is, counted from zero.
const STATUS_LINE: usize = 7;

/// Our child, the postmaster. Dropping it asks it to stop, without waiting for that.
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

/// How a process's start went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartProgress {
    /// It takes connections.
    Ready,
    /// It ended before that. `None` when its status could not be learned.
    Ended(Option<ExitStatus>),
    /// It is at it, but the time is over.
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

    /// Waits until the server of that cluster takes connections.
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

    /// The file may still be an earlier server's, so its pid has to be this one's.
    fn is_ready(&self, cluster: &Path) -> bool {
        let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else { return false };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let status = text.lines().nth(STATUS_LINE).map(str::trim);
        pid == Some(self.pid) && status == Some("ready")
    }

    /// Resolves once the process has ended. `None` when its status could not be learned.
    pub fn exited(&self) -> impl Future<Output = Option<ExitStatus>> + Send + 'static {
        let mut life = self.life.clone();
        async move {
            match *life.wait_for(|life| *life != Life::Running).await.ok()? {
                Life::Ended(status) => Some(status),
                Life::Running => None,
            }
        }
    }

    /// Stops the process with growing insistence, and waits until it has gone.
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
        // Until the keeper has told of the end, the pid cannot belong to anybody else.
        if *self.life.borrow() != Life::Running || self.life.has_changed().is_err() {
            return;
        }
        if let Ok(pid) = i32::try_from(self.pid) {
            // An error means that it has just ended, which the keeper is about to tell.
            let _ = system::signal(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::FastShutdown);
    }
}

/// What the keeper thread does for as long as the process lives.
fn keep(
    mut command: Command,
    tell_pid: oneshot::Sender<io::Result<u32>>,
    tell_life: &watch::Sender<Life>,
    lock: Arc<DirectoryLock>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // Where nobody waits for the answer any more, nobody needs it.
            let _ = tell_pid.send(Err(error));
            return;
        }
    };
    if tell_pid.send(Ok(child.id())).is_err() {
        // The start was called off in the meantime, so nobody else will ever stop this process.
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
