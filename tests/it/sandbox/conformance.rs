//! Does Stripe's own SDK for Python find what it expects? Installed from PyPI into a directory of its own.

use std::process::Command;

use serde_json::Value;

use super::Bench;
use crate::support::python;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_sdk_is_satisfied() {
    let bench = Bench::start().await;
    let url = bench.sandbox.url();
    let output = tokio::task::spawn_blocking(move || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/stripe_sdk.py");
        let python = python::with(python::STRIPE, "stripe")?;
        Some(Command::new(python).arg(script).arg(url).output().expect("the interpreter runs"))
    });
    let Some(output) = output.await.unwrap() else { return };
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
