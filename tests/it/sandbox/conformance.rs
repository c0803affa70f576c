//! Does Stripe's own SDK for Python find what it expects? Installed from PyPI into a directory of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use super::Bench;
use crate::support::optional::leave_out;

const PACKAGE: &str = "stripe==16.*";

fn run(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{what} cannot be run ({error}); this test needs python3 with venv and pip, and PyPI: install python3-venv")
    });
    assert!(
        output.status.success(),
        "{what} did not work; this test needs python3 with venv and pip, and PyPI:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// An interpreter that has the SDK. Kept beside the build, since it never changes.
fn interpreter() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripe-sdk-16");
    let python = folder.join("bin/python");
    let installed = || {
        let mut check = Command::new(&python);
        check.args(["-c", "import stripe"]).output().is_ok_and(|output| output.status.success())
    };
    if !installed() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "python3 -m venv");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]), "pip install stripe");
    }
    python
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_is_satisfied() {
    if Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| !output.status.success())
        || Command::new("python3").arg("--version").output().is_err()
    {
        return leave_out("python3 with venv, of the packages python3 and python3-venv, was not found");
    }
    let bench = Bench::start().await;
    let url = bench.sandbox.url();
    let output = tokio::task::spawn_blocking(move || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/stripe_sdk.py");
        Command::new(interpreter()).arg(script).arg(url).output().expect("the interpreter runs")
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let steps: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("a step is JSON")).collect();
    for step in &steps {
        println!(
            "{} {}",
            if step["ok"] == true { "ok    " } else { "FAILED" },
            step["step"].as_str().unwrap()
        );
    }
    let failed = steps.iter().filter(|step| step["ok"] != true);
    let failed: Vec<String> = failed
        .map(|step| format!("{}:\n{}", step["step"], step["why"].as_str().unwrap_or_default()))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(output.status.success() && steps.len() >= 16, "{}", String::from_utf8_lossy(&output.stderr));
}
