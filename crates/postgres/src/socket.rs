//! How is the server's socket protected, and what is its path?

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::StartError;
use super::directory::{DataDirectory, create_private};
use super::error::io_error;
use super::owner::ClusterOwner;
use super::system;

/// Part of the name of the socket's file; nothing listens on a port.
pub(super) const PORT: u16 = 5432;

/// The path of the socket of a server with this directory.
pub(super) fn path(socket_directory: &Path) -> PathBuf {
    socket_directory.join(format!(".s.PGSQL.{PORT}"))
}

/// Makes a directory for the socket that only the owner can enter.
pub(super) fn prepare(directory: &DataDirectory, owner: &ClusterOwner) -> Result<PathBuf, StartError> {
    let path = directory.socket();
    match create_private(&path) {
        Ok(()) => {}
        // Somebody else may have made it first, to impersonate the server.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(&path, owner)?,
        Err(error) => return Err(io_error("create", &path)(error)),
    }
    owner.give(&path)?;
    Ok(path)
}

fn check_private(path: &Path, owner: &ClusterOwner) -> Result<(), StartError> {
    let metadata = fs::symlink_metadata(path).map_err(io_error("inspect", path))?;
    let ours = metadata.uid() == owner.uid() || metadata.uid() == system::effective_uid();
    let private = metadata.mode() & 0o077 == 0;
    if metadata.is_dir() && ours && private {
        return Ok(());
    }
    Err(StartError::ForeignSocketDirectory { directory: path.to_owned() })
}
