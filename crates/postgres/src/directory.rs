//! What lies where in the data directory?

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StartError;
use super::error::io_error;
use super::system;

/// Where root keeps its data. Root's home cannot be entered by the user that runs the server.
const ROOT_DATA_DIRECTORY: &str = "/var/lib/counterfoil";

/// The server's user passes through to its own directories and sees nothing else.
const MODE_OF_ROOT: u32 = 0o711;
const MODE_PRIVATE: u32 = 0o700;
const MODE_PRIVATE_FILE: u32 = 0o600;

/// Where the data lies when nothing else is said: never in the directory that the program was started in.
///
/// # Errors
///
/// `NoDefaultDirectory` for a user without a home.
pub fn default_data_directory() -> Result<PathBuf, StartError> {
    if system::effective_uid() == 0 {
        return Ok(PathBuf::from(ROOT_DATA_DIRECTORY));
    }
    user_data_directory(env::var_os("XDG_DATA_HOME"), env::var_os("HOME"))
}

/// The XDG base directory rules: a relative `XDG_DATA_HOME` counts as unset.
fn user_data_directory(xdg: Option<OsString>, home: Option<OsString>) -> Result<PathBuf, StartError> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    xdg.and_then(absolute)
        .or_else(|| home.and_then(absolute).map(|home| home.join(".local/share")))
        .map(|base| base.join("counterfoil"))
        .ok_or(StartError::NoDefaultDirectory)
}

/// An existing data directory, by its real path.
#[derive(Clone, Debug)]
pub(super) struct DataDirectory {
    path: PathBuf,
}

impl DataDirectory {
    /// Creates the directory where missing, and resolves its path.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let mode = if system::effective_uid() == 0 { MODE_OF_ROOT } else { MODE_PRIVATE };
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io_error("create", path))?;
        let path = path.canonicalize().map_err(io_error("resolve", path))?;
        let directory = Self { path };
        directory.let_the_server_through().map_err(io_error("change the mode of", &directory.path))?;
        Ok(directory)
    }

    /// Root's own data directory was given to us to arrange, so a mode that shuts the server out is corrected. The
    /// directories above it are not ours.
    fn let_the_server_through(&self) -> io::Result<()> {
        let metadata = fs::metadata(&self.path)?;
        let mode = metadata.mode() & 0o7777;
        if system::effective_uid() != 0 || metadata.uid() != 0 || mode & 0o001 != 0 {
            return Ok(());
        }
        fs::set_permissions(&self.path, Permissions::from_mode(mode | 0o011))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Held while a process runs the server.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where a cluster is made, until it is whole.
    pub fn unfinished_cluster(&self) -> PathBuf {
        self.path.join("postgres.unfinished")
    }

    pub fn socket(&self) -> PathBuf {
        self.path.join("socket")
    }

    /// Who may connect, and as whom.
    pub fn rules(&self) -> PathBuf {
        self.path.join("pg_hba.conf")
    }

    /// Which users of the system are which of the database.
    pub fn names(&self) -> PathBuf {
        self.path.join("pg_ident.conf")
    }

    /// What the server said since it was started.
    pub fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Begins a new log. The one before is kept until the next start, so the logs cannot fill the disk start by start.
    pub fn begin_log(&self) -> Result<File, StartError> {
        let log = self.log();
        match fs::rename(&log, self.path.join("postgres.log.previous")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("rename", &log)(error)),
            Ok(()) | Err(_) => open_private(&log).map_err(io_error("open", &log)),
        }
    }
}

/// Opens a file of our own for appending. A link in its place is refused: as root, it could name any file.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .read(true)
        .create(true)
        .mode(MODE_PRIVATE_FILE)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Creates a directory that only its owner can enter.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(MODE_PRIVATE).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xdg_directory_goes_before_the_home_directory() {
        let path = user_data_directory(Some("/xdg".into()), Some("/home/ada".into()));
        assert_eq!(path.unwrap(), Path::new("/xdg/counterfoil"));
    }

    #[test]
    fn a_relative_xdg_directory_counts_as_unset() {
        let path = user_data_directory(Some("xdg".into()), Some("/home/ada".into()));
        assert_eq!(path.unwrap(), Path::new("/home/ada/.local/share/counterfoil"));
    }

    #[test]
    fn without_a_home_the_directory_has_to_be_named() {
        assert!(matches!(user_data_directory(None, None), Err(StartError::NoDefaultDirectory)));
    }
}
