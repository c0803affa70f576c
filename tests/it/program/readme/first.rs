//! From a clone to the first credit: does `serve --sandbox` need nothing, and does what it prints work?

use std::{path::Path, process::Command};

use super::curl;
use crate::support::{Scratch, program::Served};

/// As a stranger starts it, but for a port and a data directory that are free.
async fn start(directory: &Path) -> Served {
    let directory = directory.to_owned();
    let start = move || {
        Served::start(|command| {
            command.env_remove("COUNTERFOIL_FIRST_KEY_FILE").env("COUNTERFOIL_DATA_DIR", directory);
            command.arg("--sandbox");
        })
    };
    tokio::task::spawn_blocking(start).await.expect("it serves")
}

/// What the printed call answers, pasted into a shell.
async fn tried(served: &Served, clone: &Path) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", served.banner["try_it"].as_str().expect("it is printed")]);
    shell.env_clear().env("PATH", curl::path(clone));
    let output =
        tokio::task::spawn_blocking(move || shell.output().expect("there is a shell")).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_setting_it_serves_and_prints_a_call_that_works() {
    let (scratch, clone) = (Scratch::create(), Scratch::create());
    let stand_in = curl::stand_in(clone.path());
    // A quote in a path is one for the shell, too.
    let directory = scratch.path().join("ada's data");
    let served = start(&directory).await;
    let answer = tried(&served, clone.path()).await;
    assert!(answer.contains("\"account\":\"acme\"") && answer.contains("\"available\":50"), "{answer}");
    let sandbox = served.banner["sandbox"].as_str().expect("it is named").to_owned();
    for address in [served.url("/docs/"), sandbox] {
        assert_eq!(reqwest::get(&address).await.unwrap().status().as_u16(), 200, "{address}");
    }
    tokio::task::spawn_blocking(move || served.stop()).await.unwrap();

    // There is a key by now, and nobody but its owner knows it.
    let served = start(&directory).await;
    let answer = tried(&served, clone.path()).await;
    assert!(answer.contains("\"plans\""), "{answer}");
    tokio::task::spawn_blocking(move || served.stop()).await.unwrap();
    stand_in.inspect(|task| task.abort());
}
