//! Directories in the system's temporary directory that do not pile up, also when a run is killed.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = "counterfoil-test-";

/// A directory without a lock file may be one that another run has just made. After this long, it is not.
const UNLOCKED_AGE_MAX: Duration = Duration::from_secs(3600);

/// A directory for one server. It is removed when the test has passed, and kept for a look when it has failed.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub fn create() -> Self {
        let path = create();
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look, until the next run: {}", self.path.display());
            return;
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Creates a directory that the server's user can enter, also when the tests run as root.
pub fn create() -> PathBuf {
    let path = tempfile::Builder::new().prefix(PREFIX).tempdir().expect("a temporary directory").keep();
    fs::set_permissions(&path, Permissions::from_mode(0o711)).expect("the directory is ours");
    path
}

/// Removes what earlier runs left: directories whose server nobody runs any more.
pub fn remove_stale() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && is_stale(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(path: &Path) -> bool {
    match File::open(path.join("lock")) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > UNLOCKED_AGE_MAX)),
    }
}
