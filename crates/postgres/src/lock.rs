//! Who may start a server on a data directory? Whoever holds its lock file.
//!
//! The lock belongs to an open file, so it ends with the process that holds it, however that ends. A pid that is
//! written down somewhere would not. It is shared with whatever a process forks, until that has become its own program,
//! so the lock can outlast its holder by a moment.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::StartError;
use super::directory::{DataDirectory, open_private};
use super::error::io_error;

/// How long a holder that is just ending gets to let go.
const PATIENCE_MS: u64 = 3_000;
const POLL_MS: u64 = 20;

/// The right to run the server of a data directory, until it is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    #[expect(dead_code, reason = "the lock lasts for as long as the file is open")]
    file: File,
}

impl DirectoryLock {
    /// Takes the lock, or refuses when somebody else keeps it. Blocks the thread until then.
    pub fn acquire(directory: &DataDirectory) -> Result<Self, StartError> {
        let path = directory.lock();
        let file = open_private(&path).map_err(io_error("open", &path))?;
        let deadline = Instant::now() + Duration::from_millis(PATIENCE_MS);
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
