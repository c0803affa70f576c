//! `curl`, for machines that have none: people can install it, a test run must not depend on it.
//!
//! The stand-in is a script that leaves its arguments in a folder and waits for the answer, which the test writes.
//! It knows the options that the README uses.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Method};
use tokio::task::JoinHandle;

const SCRIPT: &str = r#"#!/bin/sh
place="${0%/*}/calls/$$"
for argument; do printf '%s\n' "$argument"; done > "$place.draft"
mv "$place.draft" "$place.call"
until [ -e "$place.answer" ]; do sleep 0.02; done
cat "$place.answer"
"#;
const LOOK_EVERY: Duration = Duration::from_millis(10);

fn is_there() -> bool {
    let version = Command::new("curl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn folder(clone: &Path) -> PathBuf {
    clone.join("stand-in")
}

/// Where programs are found: the stand-in first, if there is one.
pub fn path(clone: &Path) -> OsString {
    let folders = env::var_os("PATH").unwrap_or_default();
    let own = Some(folder(clone)).filter(|folder| folder.exists());
    env::join_paths(own.into_iter().chain(env::split_paths(&folders))).expect("they were joined before")
}

/// Answers the walk's calls, where there is no `curl` to do so.
pub fn stand_in(clone: &Path) -> Option<JoinHandle<()>> {
    if is_there() {
        return None;
    }
    let script = folder(clone).join("curl");
    let calls = folder(clone).join("calls");
    fs::create_dir_all(&calls).expect("a folder");
    fs::write(&script, SCRIPT).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    Some(tokio::spawn(async move {
        let client = Client::new();
        loop {
            for call in calls_in(&calls) {
                let arguments = fs::read_to_string(&call).expect("it can be read");
                let answer = answer(&client, &arguments.lines().collect::<Vec<_>>()).await;
                fs::remove_file(&call).expect("it is ours");
                let draft = call.with_extension("written");
                fs::write(&draft, answer).expect("it can be written");
                fs::rename(&draft, call.with_extension("answer")).expect("it is ours");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}

fn calls_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it can be read").path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "call")).collect()
}

async fn answer(client: &Client, arguments: &[&str]) -> String {
    let (mut method, mut url, mut body, mut headers, mut with_head) = (None, "", None, Vec::new(), false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "-sS" => {}
            "-w" => assert_eq!(rest.next(), Some(&"\\n")),
            "-i" => with_head = true,
            "-X" => method = rest.next().map(|name| name.parse().expect("a method")),
            "-H" => headers.extend(rest.next().and_then(|header| header.split_once(": "))),
            "-d" => body = rest.next().map(|body| (*body).to_owned()),
            other => url = other,
        }
    }
    let default = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = client.request(method.unwrap_or(default), url);
    if body.is_some() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
        request = request.header("Content-Type", "application/x-www-form-urlencoded");
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = request.body(body.unwrap_or_default()).send().await.expect("it answers");
    let mut text = String::new();
    if with_head {
        text += &format!("{:?} {}\n", response.version(), response.status());
        for (name, value) in response.headers() {
            text += &format!("{name}: {}\n", value.to_str().expect("a text"));
        }
        text += "\n";
    }
    text + &response.text().await.expect("a text") + "\n"
}
