//! Where does the server's socket lie, given that the system allows about a hundred bytes for its path?

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::StartError;
use super::directory::{DataDirectory, create_private};
use super::error::io_error;
use super::owner::ClusterOwner;
use super::system;

/// Longest path of a socket directory. PostgreSQL appends 14 bytes, and 103 is the least that a system allows.
const PATH_BYTES_MAX: usize = 89;

/// Names the socket's file; nothing listens on a port.
pub(super) const PORT: u16 = 5432;

/// How many hexadecimal digits of the hash name a socket directory: enough that two data directories do not meet.
const HASH_DIGITS: usize = 16;

/// The path of the socket that a server with this directory listens on.
pub(super) fn path(socket_directory: &Path) -> PathBuf {
    socket_directory.join(format!(".s.PGSQL.{PORT}"))
}

/// Makes sure of a directory for the socket that only the owner can enter.
pub(super) fn prepare(directory: &DataDirectory, owner: &ClusterOwner) -> Result<PathBuf, StartError> {
    let path = choose(&directory.socket());
    match create_private(&path) {
        Ok(()) => {}
        // Somebody else may have put one there first, to be the one who we talk to.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(&path, owner)?,
        Err(error) => return Err(io_error("create", &path)(error)),
    }
    owner.give(&path)?;
    Ok(path)
}

/// The directory itself, or a short one in its stead. The server's setting is a list, so a path with a comma, a quote
/// or a space in it is replaced too.
pub(super) fn choose(directory: &Path) -> PathBuf {
    let bytes = directory.as_os_str().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    if bytes.len() <= PATH_BYTES_MAX && bytes.iter().all(plain) {
        return directory.to_owned();
    }
    let short: String = hex::encode(Sha256::digest(bytes)).chars().take(HASH_DIGITS).collect();
    PathBuf::from(format!("/tmp/counterfoil-{short}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_plain_path_is_kept() {
        assert_eq!(
            choose(Path::new("/var/lib/counterfoil/socket")),
            Path::new("/var/lib/counterfoil/socket")
        );
    }

    #[test]
    fn a_long_path_is_replaced_by_its_hash() {
        let long = PathBuf::from("/").join("x".repeat(200));
        let chosen = choose(&long);
        assert!(chosen.as_os_str().len() <= PATH_BYTES_MAX);
        assert_eq!(chosen, choose(&long));
        assert_ne!(chosen, choose(&long.join("y")));
    }

    #[test]
    fn a_path_that_a_list_cannot_hold_is_replaced() {
        assert!(choose(Path::new("/data, more/socket")).starts_with("/tmp"));
    }
}
