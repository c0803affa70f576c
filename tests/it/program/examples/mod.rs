//! Do the examples do what the guide says, against the real program and its sandbox?

mod business;
mod forgetful;
mod guide;
mod running;
mod story;

use std::{path::Path, process::Command};

use self::{business::Business, running::Example};
use crate::support::{node, optional::run, python};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/python");
const NEXTJS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/nextjs");

/// Runs an example that is started by `start`, and the story with it. Its answers are lost on the way, each once.
async fn tell(start: impl FnOnce(&Business) -> Option<Example> + Send + 'static) {
    let business = Business::open().await;
    let started = tokio::task::spawn_blocking(move || {
        let example = start(&business);
        (business, example)
    });
    let (business, example) = started.await.expect("no panic");
    if let Some(example) = example {
        story::tell(&business, &example).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_backend_in_python_sells_generations() {
    tell(|business| {
        let folder = Path::new(PYTHON);
        let python = python::with_requirements(&folder.join("requirements.txt"), "uvicorn")?;
        Some(Example::start(business, |port| {
            let mut command = Command::new(python);
            command.args(["-m", "uvicorn", "app:app", "--port", &port.to_string()]).current_dir(folder);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }))
    })
    .await;
}

/// What is built for production, with every type checked, and served by Next.js itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_backend_with_next_js_sells_generations() {
    tell(|business| {
        let project = node::project(Path::new(NEXTJS))?;
        for script in ["types", "build"] {
            let mut npm = Command::new("npm");
            npm.args(["run", script])
                .env("LEDGER_URL", business.ledger())
                .env("NEXT_TELEMETRY_DISABLED", "1");
            run(npm.current_dir(&project));
        }
        Some(Example::start(business, |port| {
            let mut command = Command::new("node");
            let port = port.to_string();
            command.args([
                "node_modules/next/dist/bin/next",
                "start",
                "--hostname",
                "127.0.0.1",
                "--port",
                &port,
            ]);
            command.env("NEXT_TELEMETRY_DISABLED", "1").current_dir(project);
            command
        }))
    })
    .await;
}
