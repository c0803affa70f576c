//! Where is a demonstration kept, and what is there already? Nothing else is ever touched.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::postgres::{StartError, default_data_directory};

use super::{super::exit::CliFailure, look::Look};

/// The file that says that a data directory is a demonstration's.
const FILE_NAME: &str = "demo.json";
/// The file that is locked while something serves from a data directory.
const LOCK: &str = "lock";
/// What PostgreSQL leaves if it did not end in order.
const RUNNING: &str = "postgres/postmaster.pid";

/// What was asked for. The same again is served again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) catalog: String,
    pub(super) accounts: u32,
    pub(super) months: u32,
    pub(super) seed: u64,
}

/// What is kept of a demonstration, beside its database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) asked: Asked,
    /// What is worth a look; `None`: the year was not finished.
    pub(super) look: Option<Look>,
}

/// The data directory of a demonstration, if none is named: beside the usual one.
///
/// # Errors
/// If this user has none.
pub(super) fn usual() -> Result<PathBuf, StartError> {
    Ok(default_data_directory()?.with_file_name("counterfoil-demo"))
}

/// The finished year that is there, or nothing: then the place is empty afterwards, and taken.
///
/// # Errors
/// If something else is there.
pub(super) fn take(directory: &Path, asked: &Asked) -> Result<Option<Look>, CliFailure> {
    let named = directory.display();
    if is_empty(directory).map_err(CliFailure::broken)? {
        keep(directory, asked, None)?;
        return Ok(None);
    }
    let Ok(text) = fs::read_to_string(directory.join(FILE_NAME)) else {
        return Err(CliFailure::Usage(format!(
            "{named} has something else in it than a demonstration. Nothing was changed: name an empty directory, or \
             one that is not there, with --data-dir"
        )));
    };
    let kept: Kept = serde_json::from_str(&text)
        .map_err(|error| CliFailure::Usage(format!("{named}/{FILE_NAME} cannot be read: {error}")))?;
    match kept.look {
        Some(look) if kept.asked == *asked => Ok(Some(look)),
        Some(_) => {
            let Asked { catalog, accounts, months, seed } = kept.asked;
            Err(CliFailure::Usage(format!(
                "{named} has another demonstration: catalog {catalog}, --accounts {accounts} --months {months} \
                 --seed {seed}. Ask for the same to serve it, remove the directory, or name another with --data-dir"
            )))
        }
        None => {
            remove_unfinished(directory)?;
            keep(directory, asked, None)?;
            Ok(None)
        }
    }
}

/// Says in the directory what is in it.
///
/// # Errors
/// If it cannot be written.
pub(super) fn keep(directory: &Path, asked: &Asked, look: Option<Look>) -> Result<(), CliFailure> {
    let kept = Kept { asked: asked.clone(), look };
    let text = serde_json::to_string_pretty(&kept).map_err(CliFailure::broken)?;
    fs::create_dir_all(directory).map_err(CliFailure::broken)?;
    fs::write(directory.join(FILE_NAME), text).map_err(CliFailure::broken)
}

fn is_empty(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// An unfinished year cannot go on, since the sandbox remembers nothing: it is removed, if nothing uses it any more.
fn remove_unfinished(directory: &Path) -> Result<(), CliFailure> {
    let is_locked = match File::open(directory.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => false,
    };
    if is_locked || directory.join(RUNNING).exists() {
        return Err(CliFailure::Usage(format!(
            "{} has a demonstration that was not finished, and its PostgreSQL may still run. Wait for it, or remove \
             the directory, or name another with --data-dir",
            directory.display()
        )));
    }
    fs::remove_dir_all(directory).map_err(CliFailure::broken)
}
