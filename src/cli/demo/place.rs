//! Where is a demonstration kept, and what is there already? Nothing else is ever touched.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
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
/// A new directory is for this user alone, as other data directories are.
const MODE_PRIVATE: u32 = 0o700;

/// All that a data directory of a demonstration has. Nothing else is removed.
const OURS: [&str; 10] = [
    FILE_NAME,
    LOCK,
    "first-admin-key",
    "pg_hba.conf",
    "pg_ident.conf",
    "postgres",
    "postgres.log",
    "postgres.log.previous",
    "postgres.unfinished",
    "socket",
];

/// What was asked for. The same again is served again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DemoOptions {
    pub(super) catalog: String,
    pub(super) accounts: u32,
    pub(super) months: u32,
    pub(super) seed: u64,
}

/// What is kept of a demonstration, beside its database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DemoFile {
    pub(super) asked: DemoOptions,
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
pub(super) fn take(directory: &Path, asked: &DemoOptions) -> Result<Option<Look>, CliFailure> {
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
    let kept: DemoFile = serde_json::from_str(&text)
        .map_err(|error| CliFailure::Usage(format!("{named}/{FILE_NAME} cannot be read: {error}")))?;
    match kept.look {
        Some(look) if kept.asked == *asked => Ok(Some(look)),
        Some(_) => {
            let DemoOptions { catalog, accounts, months, seed } = kept.asked;
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
pub(super) fn keep(directory: &Path, asked: &DemoOptions, look: Option<Look>) -> Result<(), CliFailure> {
    let kept = DemoFile { asked: asked.clone(), look };
    let text = serde_json::to_string_pretty(&kept).map_err(CliFailure::broken)?;
    DirBuilder::new().recursive(true).mode(MODE_PRIVATE).create(directory).map_err(CliFailure::broken)?;
    fs::write(directory.join(FILE_NAME), text).map_err(CliFailure::broken)
}

fn is_empty(directory: &Path) -> io::Result<bool> {
    match names(directory) {
        Ok(names) => Ok(names.is_empty()),
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
    let names = names(directory).map_err(CliFailure::broken)?;
    let is_ours = |name: &OsString| OURS.iter().any(|ours| name == *ours);
    if is_locked || directory.join(RUNNING).exists() || !names.iter().all(is_ours) {
        return Err(CliFailure::Usage(format!(
            "{} has a demonstration that was not finished, and its PostgreSQL may still run, or there are other files \
             beside it. Wait for it, or remove the directory, or name another with --data-dir",
            directory.display()
        )));
    }
    for path in names.iter().map(|name| directory.join(name)) {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(CliFailure::broken)?;
    }
    Ok(())
}

fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}
