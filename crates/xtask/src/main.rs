//! What is done daily, by one word each? `cargo xtask` lists it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Something that is done daily.
struct Task {
    name: &'static str,
    /// What may follow its name.
    takes: &'static str,
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const TASKS: [Task; 8] = [
    Task {
        name: "serve",
        takes: "[OPTIONS]",
        what: "Run it with the sandbox in the place of Stripe, and a database of its own",
        program: "cargo",
        arguments: &["run", "--", "serve", "--sandbox"],
        environment: &[
            ("COUNTERFOIL_BOOTSTRAP_KEY", "only-for-trying-it-on-this-machine"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_only_for_trying"),
        ],
    },
    Task {
        name: "fmt",
        takes: "[OPTIONS]",
        what: "Format all code",
        program: "cargo",
        arguments: &["fmt", "--all"],
        environment: &[],
    },
    Task {
        name: "lint",
        takes: "",
        what: "All lints; a warning is an error",
        program: "cargo",
        arguments: &["clippy", "--locked", "--all-targets", "--", "-D", "warnings"],
        environment: &[],
    },
    Task {
        name: "rules",
        takes: "[FILTER]",
        what: "The tests of the rules: seconds, without a database",
        program: "cargo",
        arguments: &["test", "--package", "counterfoil-domain", "--test", "domain", "--"],
        environment: &[],
    },
    Task {
        name: "test",
        takes: "[FILTER]...",
        what: "The tests of one area against real parts, such as `billing::`; without a filter all of them",
        program: "cargo",
        arguments: &["test", "--test", "it", "--"],
        environment: &[],
    },
    Task {
        name: "golden",
        takes: "",
        what: "Write the generated documents again: the API, the events, the rights at Stripe",
        program: "cargo",
        arguments: &["test", "--test", "it", "--", "api::document", "contracts::"],
        environment: &[("UPDATE_GOLDEN", "1")],
    },
    Task {
        name: "bench",
        takes: "[OPTIONS]",
        what: "Measure one figure; `--help` lists them",
        program: "cargo",
        arguments: &["bench", "--bench", "counterfoil", "--"],
        environment: &[],
    },
    Task {
        name: "ci",
        takes: "",
        what: "Everything that is checked before a change is taken",
        program: ".ci/run",
        arguments: &[],
        environment: &[],
    },
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        println!("{}", help());
        let is_asked_for = ["", "help", "--help", "-h"].contains(&name.as_str());
        return if is_asked_for { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    let status = Command::new(task.program)
        .args(task.arguments)
        .args(arguments)
        .envs(task.environment.iter().copied())
        .current_dir(root())
        .status();
    match status {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("{} cannot be started: {error}", task.program);
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let lines =
        TASKS.iter().map(|task| format!("  {:24} {}", format!("{} {}", task.name, task.takes), task.what));
    format!("cargo xtask TASK\n\n{}", lines.collect::<Vec<String>>().join("\n"))
}

/// The folder of the whole workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_for_contributors_names_each_task() {
        let page = include_str!("../../../CONTRIBUTING.md");
        for task in TASKS {
            assert!(page.contains(&format!("`cargo xtask {}", task.name)), "{}", task.name);
        }
    }
}
