//! Packages for Node, installed from npm as a committed lock file says, beside the build.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::optional::{leave_out, run, succeeds};

/// What Next.js needs.
const NEEDED: &str = "const [major, minor] = process.versions.node.split('.').map(Number); \
    process.exit(major > 20 || (major === 20 && minor >= 9) ? 0 : 1)";
/// What is made beside the sources.
const MADE: [&str; 4] = ["node_modules", ".next", "next-env.d.ts", "schema.ts"];
/// What the packages were installed from.
const INSTALLED: &str = "installed.json";

/// A copy of the project in `source`, with its packages. `None`: this machine has no Node, and the test is left out.
pub fn project(source: &Path) -> Option<PathBuf> {
    let is_new = succeeds(Command::new("node").args(["--eval", NEEDED]));
    if !is_new || !succeeds(Command::new("npm").arg("--version")) {
        leave_out("node, 20.9 or newer, and npm, of the packages nodejs and npm, were not found");
        return None;
    }
    let name = source.file_name().expect("a folder has a name").to_string_lossy();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("node-{name}"));
    copy(source, &project);
    let lock = fs::read(project.join("package-lock.json")).expect("a lock file");
    if fs::read(project.join(INSTALLED)).ok().as_ref() != Some(&lock) {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&project));
        fs::write(project.join(INSTALLED), lock).expect("a file");
    }
    Some(project)
}

fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("the build has a directory");
    let entries = fs::read_dir(source).expect("a folder").map(|entry| entry.expect("an entry"));
    for entry in entries.filter(|entry| !MADE.iter().any(|made| entry.file_name() == *made)) {
        let target = target.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
