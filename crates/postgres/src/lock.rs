//! Who may start a server in a data directory? The process that holds its lock file.
//!
//! The lock belongs to an open file, so that it ends with the process in any case, unlike a stored pid.
//! A forked process shares it until it runs its own program, so the lock can outlast its holder for a moment.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::StartError;
use super::directory::{DataDirectory, open_private};
use super::error::io_error;

/// How long a process that is just ending has to release the lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// The same where a process that goes on holding it is usual: only as long as the lock may outlast its holder.
pub(super) const PATIENCE_SHORT: Duration = Duration::from_millis(100);
const POLL_MS: u64 = 20;

/// The right to run the server of a data directory, until it is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    #[expect(dead_code, reason = "the lock lasts for as long as the file is open")]
    file: File,
}

impl DirectoryLock {
    /// Takes the lock. Blocks the thread for at most `patience` while another process holds it.
    pub fn acquire(directory: &DataDirectory, patience: Duration) -> Result<Self, StartError> {
        let path = directory.lock();
        let file = open_private(&path).map_err(io_error("open", &path))?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(POLL_MS));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StartError::Locked { directory: directory.path().to_owned() });
                }
                Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
            }
        }
    }
}
