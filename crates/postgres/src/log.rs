//! What did the server log? Its log is a file, so that it can be written when nobody reads it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::StartError;
use super::directory::DataDirectory;

/// How many bytes of the log an error message shows.
const TAIL_BYTES_MAX: u64 = 4096;

/// The start of each line: the time, and the SQLSTATE, which identifies a message in every language.
pub(super) const LINE_PREFIX: &str = "%m [%p] %e ";

/// `lock_file_exists`: a server runs in this directory, or seems to.
const LOCK_FILE_EXISTS: &str = " F0001 ";

/// The log of one start, which may take several attempts.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Begins a new log, and keeps the previous one.
    pub fn begin(directory: &DataDirectory) -> Result<Self, StartError> {
        Ok(Self { path: directory.log(), file: directory.begin_log()? })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file for a process to write to.
    pub fn duplicate(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// How many bytes have been written so far.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// The log after the first `from` bytes, or the end of it. If it cannot be read, the text says so.
    pub fn tail(&self, from: u64) -> String {
        self.read_tail(from).unwrap_or_else(|error| format!("(the log cannot be read: {error})"))
    }

    fn read_tail(&self, from: u64) -> io::Result<String> {
        let start = from.max(self.length()?.saturating_sub(TAIL_BYTES_MAX));
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }
}

/// Whether the server refused to start because another one seems to run.
pub(super) fn mentions_lock_file(tail: &str) -> bool {
    tail.contains(LOCK_FILE_EXISTS)
}
