//! Does each test start no more than its level says?
//!
//! A topic may be in several levels. Where a document names a test, it leaves the level out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::architecture::paths::{code, paths, walk};

/// What is started, from nothing to the whole program, and what in `support` starts it. A level has no use for what a
/// higher one starts.
const LEVELS: [(&str, &[&str]); 4] = [
    ("functions", &[]),
    (
        "database",
        &[
            "support::database",
            "support::ledger::TestLedger",
            "support::ledger::start",
            "support::desk",
            "support::bureau",
        ],
    ),
    ("server", &["support::http", "support::in_process", "support::shop::Shop", "support::shop::serve"]),
    ("program", &["support::program"]),
];

/// What a file of a level uses of higher ones.
fn too_high(level: &str, text: &str) -> Vec<String> {
    let higher = LEVELS.iter().skip_while(|(name, _)| *name != level).skip(1);
    let starts: Vec<&str> = higher.flat_map(|(name, starts)| starts.iter().copied().chain([*name])).collect();
    let is_in = |path: &str, other: &str| {
        path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let used = paths(&[level.to_owned()], &code(text)).into_iter().map(|(path, _)| path.join("::"));
    used.filter(|path| starts.iter().any(|start| is_in(path, start))).collect()
}

fn it() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")
}

#[test]
fn no_test_starts_more_than_its_level_says() {
    let mut mistakes = Vec::new();
    for (level, _) in LEVELS {
        let mut files = 0;
        walk(&it().join(level), &mut |path| {
            files += 1;
            let found = too_high(level, &fs::read_to_string(path).expect("a source can be read"));
            mistakes.extend(found.into_iter().map(|used| format!("{}: {used}", path.display())));
        });
        assert!(files > 10, "{level} was found");
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn what_starts_more_is_found() {
    let text = "use crate::support::{\n    ledger::{TestLedger, noon},\n    http::Server,\n};";
    assert_eq!(too_high("functions", text), ["support::ledger::TestLedger", "support::http::Server"]);
    assert_eq!(too_high("database", text), ["support::http::Server"]);
    assert_eq!(too_high("server", text), Vec::<String>::new());
    assert_eq!(too_high("server", "fn run() { crate::program::cli::run() }"), ["program::cli::run"]);
}
