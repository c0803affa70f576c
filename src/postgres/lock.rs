//! Who may start a server on a data directory? Whoever holds its lock file.
//!
//! The lock belongs to an open file, so it ends with the process that holds it, however that ends. A pid that is written
//! down somewhere would not.

use std::fs::{File, TryLockError};

use super::StartError;
use super::directory::{DataDirectory, open_private};
use super::error::io_error;

/// The right to run the server of a data directory, until it is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    #[expect(dead_code, reason = "the lock lasts for as long as the file is open")]
    file: File,
}

impl DirectoryLock {
    /// Takes the lock, or refuses at once when somebody else has it.
    pub fn acquire(directory: &DataDirectory) -> Result<Self, StartError> {
        let path = directory.lock();
        let file = open_private(&path).map_err(io_error("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => {
                Err(StartError::Locked { directory: directory.path().to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
        }
    }
}
