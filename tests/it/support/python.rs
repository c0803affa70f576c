//! Packages for Python, each installed from PyPI into a directory of its own, beside the build.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::optional::leave_out;

/// An interpreter that can import `module`, which comes with `package`. `None`: this machine has no Python that could, and
/// the test is left out.
pub fn with(package: &str, module: &str) -> Option<PathBuf> {
    if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        leave_out("python3 with venv, of the packages python3 and python3-venv, was not found");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{module}"));
    let python = folder.join("bin/python");
    if !succeeds(Command::new(&python).args(["-c", &format!("import {module}")])) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "python3 -m venv");
        let install = ["-m", "pip", "install", "--quiet", package];
        run(Command::new(&python).args(install), "pip install");
    }
    Some(python)
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{what} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{what} did not work; it needs python3 with venv and pip, and PyPI:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
