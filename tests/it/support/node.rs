//! Packages for Node, installed from npm as a committed lock file says, beside the build.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::optional::{leave_out, run, succeeds};

/// Since then, Node fetches by itself.
const NEEDED: &str = "process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)";
/// What the packages were installed from.
const INSTALLED: &str = "installed.json";

/// A copy of the project in `source`, with its packages. `None`: this machine has no Node, and the test is left out.
pub fn project(source: &Path) -> Option<PathBuf> {
    let is_new = succeeds(Command::new("node").args(["--eval", NEEDED]));
    if !is_new || !succeeds(Command::new("npm").arg("--version")) {
        leave_out("node, 18 or newer, and npm, of the packages nodejs and npm, were not found");
        return None;
    }
    let name = source.file_name().expect("a folder has a name").to_string_lossy();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("node-{name}"));
    fs::create_dir_all(&project).expect("the build has a directory");
    for file in fs::read_dir(source).expect("a folder") {
        let file = file.expect("an entry");
        fs::copy(file.path(), project.join(file.file_name())).expect("a copy");
    }
    let lock = fs::read(project.join("package-lock.json")).expect("a lock file");
    if fs::read(project.join(INSTALLED)).ok().as_ref() != Some(&lock) {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&project));
        fs::write(project.join(INSTALLED), lock).expect("a file");
    }
    Some(project)
}
