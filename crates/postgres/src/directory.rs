//! Which files are in the data directory?

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::StartError;
use super::error::io_error;
use super::system;

/// The default data directory of root, whose home the server's user cannot enter.
const ROOT_DATA_DIRECTORY: &str = "/var/lib/counterfoil";

/// The directory of the cluster, in the data directory.
pub(super) const CLUSTER: &str = "postgres";

/// The server's user can pass through to its own directories, but cannot list this one.
const MODE_OF_ROOT: u32 = 0o711;
const MODE_PRIVATE: u32 = 0o700;
const MODE_PRIVATE_FILE: u32 = 0o600;

/// The longest path of a socket directory, in bytes. PostgreSQL appends 14, and some systems allow only 103.
const PATH_BYTES_MAX: usize = 89;

/// How many hexadecimal digits of a hash are in the name of a socket directory, so that two data directories do not
/// share one.
const HASH_DIGITS: usize = 16;

/// The default data directory: never the directory in which the program was started.
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
    /// Creates the directory if it is missing, and resolves its path.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let mode = if system::effective_uid() == 0 { MODE_OF_ROOT } else { MODE_PRIVATE };
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io_error("create", path))?;
        let path = path.canonicalize().map_err(io_error("resolve", path))?;
        let directory = Self { path };
        directory.let_the_server_through().map_err(io_error("change the mode of", &directory.path))?;
        Ok(directory)
    }

    /// Root's own data directory belongs to the program, so a mode that excludes the server's user is corrected.
    /// The directories above it do not.
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

    /// The file that is locked while a process runs the server.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub fn cluster(&self) -> PathBuf {
        self.path.join(CLUSTER)
    }

    /// Where a cluster is made until it is complete.
    pub fn unfinished_cluster(&self) -> PathBuf {
        self.path.join("postgres.unfinished")
    }

    /// The directory of the server's socket.
    pub fn socket(&self) -> PathBuf {
        short_socket(&self.path.join("socket"))
    }

    /// The file that says who may connect, and as whom.
    pub fn rules(&self) -> PathBuf {
        self.path.join("pg_hba.conf")
    }

    /// The file that maps users of the system to users of the database.
    pub fn names(&self) -> PathBuf {
        self.path.join("pg_ident.conf")
    }

    /// The server's log since it was started.
    pub fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Begins a new log. The previous one is kept until the next start, so that logs cannot fill the disk.
    pub fn begin_log(&self) -> Result<File, StartError> {
        let log = self.log();
        match fs::rename(&log, self.path.join("postgres.log.previous")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("rename", &log)(error)),
            Ok(()) | Err(_) => open_private(&log).map_err(io_error("open", &log)),
        }
    }
}

/// The directory itself, or a short one instead.
/// The server's setting is a list, so a path with a comma, a quote or a space is replaced, too.
fn short_socket(directory: &Path) -> PathBuf {
    let bytes = directory.as_os_str().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    if bytes.len() <= PATH_BYTES_MAX && bytes.iter().all(plain) {
        return directory.to_owned();
    }
    let short: String = hex::encode(Sha256::digest(bytes)).chars().take(HASH_DIGITS).collect();
    PathBuf::from(format!("/tmp/counterfoil-{short}"))
}

/// Opens a file of the program for appending. A link is refused, since as root it could lead to any file.
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

    #[test]
    fn a_short_plain_path_is_kept() {
        assert_eq!(
            short_socket(Path::new("/var/lib/counterfoil/socket")),
            Path::new("/var/lib/counterfoil/socket")
        );
    }

    #[test]
    fn a_long_path_is_replaced_by_its_hash() {
        let long = PathBuf::from("/").join("x".repeat(200));
        let chosen = short_socket(&long);
        assert!(chosen.as_os_str().len() <= PATH_BYTES_MAX);
        assert_eq!(chosen, short_socket(&long));
        assert_ne!(chosen, short_socket(&long.join("y")));
    }

    #[test]
    fn a_path_that_a_list_cannot_hold_is_replaced() {
        assert!(short_socket(Path::new("/data, more/socket")).starts_with("/tmp"));
    }
}
