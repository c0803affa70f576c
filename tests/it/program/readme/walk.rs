//! The README's walk, line by line in a shell, against the program as a stranger starts it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use super::curl;
use crate::support::{
    Scratch,
    pages::{blocks, is_as_shown, page, root, section},
    program::Served,
};

/// What the README says where the server listens. The test's one listens elsewhere.
const ADDRESS: &str = "127.0.0.1:8080";
/// What it says where the sandbox is.
const SANDBOX: &str = "http://127.0.0.1:12111";
const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil");

/// Lines to paste, and what they show.
struct Step<'a> {
    lines: Vec<&'a str>,
    shown: Vec<&'a str>,
}

fn steps(readme: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for block in blocks(section(readme, "### The walk")) {
        match (block.language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { lines: block.lines, shown: Vec::new() }),
            ("text", Some(step)) => step.shown = block.lines,
            (language, _) => panic!("a block of {language} is neither pasted nor shown"),
        }
    }
    assert!(steps.len() > 8, "the walk was found");
    steps
}

/// The settings that the README's first command gives the server.
fn settings(readme: &str) -> Vec<(String, String)> {
    let commands = blocks(section(readme, "## Try it"));
    let commands: Vec<&str> = commands
        .iter()
        .filter(|block| block.language == "console")
        .flat_map(|block| block.lines.clone())
        .collect();
    let [serve, test] = commands[..] else { panic!("there are two commands: {commands:?}") };
    assert_eq!(test, "cargo test");
    let settings =
        serve.strip_suffix(" cargo run --release -- serve --sandbox").expect("it builds and serves");
    let settings = settings.split(' ').filter_map(|setting| setting.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A folder that looks to the walk like a clone in which the program was built.
fn lay_out(folder: &Path) {
    fs::create_dir_all(folder.join("target/release")).expect("a folder");
    symlink(PROGRAM, folder.join("target/release/counterfoil")).expect("a link");
    symlink(root().join("tests"), folder.join("tests")).expect("a link");
}

/// A script of the lines, that says after each how it ended.
fn script(steps: &[Step<'_>], address: &str, sandbox: &str) -> String {
    let lines = steps.iter().flat_map(|step| &step.lines);
    let here = |line: &str| line.replace(ADDRESS, address).replace(SANDBOX, sandbox);
    lines.map(|line| format!("{}\necho \"=== $?\"\n", here(line))).collect()
}

fn walk(clone: &Path, data: &Path, served: &Served, script: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).current_dir(clone).env_clear().stdin(Stdio::null());
    shell.env("PATH", curl::path(clone)).env("COUNTERFOIL_DATA_DIR", data);
    shell.env("COUNTERFOIL_LISTEN", served.address.to_string());
    let output = shell.output().expect("there is a shell");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

/// What each line of the walk wrote, all of which ended well.
fn outputs<'a>(lines: &[&str], written: &'a str) -> Vec<Vec<&'a str>> {
    let mut outputs = vec![Vec::new()];
    for line in written.lines().map(str::trim_end) {
        match line.strip_prefix("=== ") {
            Some(status) => {
                let number = outputs.len() - 1;
                assert_eq!(status, "0", "{}\n{}", lines[number], outputs[number].join("\n"));
                outputs.push(Vec::new());
            }
            None => outputs.last_mut().unwrap().push(line),
        }
    }
    outputs.pop();
    assert_eq!(outputs.len(), lines.len(), "{written}");
    outputs
}

#[tokio::test]
async fn the_walk_works_as_it_is_written() {
    let readme = page("README.md");
    let (data, clone) = (Scratch::create(), Scratch::create());
    lay_out(clone.path());
    let settings = settings(&readme);
    let directory = data.path().to_owned();
    let start = move || {
        Served::start(|command| {
            // The page shows positions of a journal with one shard.
            command.env("COUNTERFOIL_SHARDS", "1");
            command.env("COUNTERFOIL_DATA_DIR", directory).envs(settings).arg("--sandbox");
        })
    };
    let served = tokio::task::spawn_blocking(start).await.expect("it serves");
    let steps = steps(&readme);
    let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox");
    let script = script(&steps, &served.address.to_string(), sandbox);
    let lines: Vec<&str> = steps.iter().flat_map(|step| step.lines.clone()).collect();
    let stand_in = curl::stand_in(clone.path());
    let (clone_path, data_path) = (clone.path().to_owned(), data.path().to_owned());
    let walked = tokio::task::spawn_blocking(move || {
        let written = walk(&clone_path, &data_path, &served, &script);
        (served, written)
    });
    let (served, written) = walked.await.expect("the walk ends");
    stand_in.inspect(|task| task.abort());
    let mut outputs = outputs(&lines, &written).into_iter();
    for step in &steps {
        let output: Vec<&str> = outputs.by_ref().take(step.lines.len()).flatten().collect();
        let (shown, pasted) = (step.shown.join("\n"), step.lines.join("\n"));
        assert!(
            is_as_shown(&step.shown, &output),
            "the README shows for\n{pasted}\nthis:\n{shown}\nand it is:\n{}",
            output.join("\n")
        );
    }
    let status = tokio::task::spawn_blocking(move || served.stop()).await.expect("it stops");
    assert_eq!(status.code(), Some(0));
}
