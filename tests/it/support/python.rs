//! Packages for Python, each installed from PyPI into a directory of its own, beside the build.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use super::optional::{leave_out, run, succeeds};

/// Stripe's own client.
pub const STRIPE: &str = "stripe==16.*";
/// A sender of webhooks that is not Stripe.
pub const LOCALSTRIPE: &str = "localstripe==1.15.10";
/// Makes a client of a program from its document.
pub const CLIENT_GENERATOR: &str = "openapi-python-client==0.29.1";
/// Asks a program what its document allows and forbids.
pub const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Each has its reason in `docs/dependencies.md`.
pub const PACKAGES: [&str; 4] = [STRIPE, LOCALSTRIPE, CLIENT_GENERATOR, SCHEMATHESIS];

/// What the newest of them needs.
const NEEDED: &str = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11)";
/// One installs at a time, and the others find what is there.
static INSTALLING: Mutex<()> = Mutex::new(());
/// What was installed.
const INSTALLED: &str = "installed.txt";

/// An interpreter that can import `module`, which comes with `package`. `None`: this machine has no Python that could,
/// and the test is left out.
pub fn with(package: &str, module: &str) -> Option<PathBuf> {
    installed(&[package], package, module)
}

/// The same, of packages that a file lists.
pub fn with_requirements(file: &Path, module: &str) -> Option<PathBuf> {
    let listed = fs::read_to_string(file).expect("a list");
    installed(&["--requirement", file.to_str().expect("a text")], &listed, module)
}

fn installed(arguments: &[&str], listed: &str, module: &str) -> Option<PathBuf> {
    if !succeeds(Command::new("python3").args(["-c", NEEDED])) {
        leave_out(
            "python3, 3.11 or newer, with venv, of the packages python3 and python3-venv, was not found",
        );
        return None;
    }
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{module}"));
    let python = folder.join("bin/python");
    let is_installed = fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == listed);
    if !is_installed || !succeeds(Command::new(&python).args(["-c", &format!("import {module}")])) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(arguments));
        fs::write(folder.join(INSTALLED), listed).expect("a file");
    }
    Some(python)
}
