//! Can a file that a command was given be read? It is said before anything else is done.

use std::{
    fs,
    io::{Error, ErrorKind},
    path::Path,
};

use super::exit::CliFailure;

/// # Errors
/// If the file cannot be read.
pub(super) fn check_readable(path: &Path) -> Result<(), CliFailure> {
    try_to_open(path).map_err(|error| unreadable(path, &error))
}

/// Something other than a file, such as a pipe, can only be opened once.
fn try_to_open(path: &Path) -> Result<(), Error> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if found.is_file() {
        fs::File::open(path)?;
    }
    Ok(())
}

pub(super) fn unreadable(path: &Path, error: &Error) -> CliFailure {
    CliFailure::broken(format!("cannot read {}: {error}", path.display()))
}
