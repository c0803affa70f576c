//! Is each file short, and does it say what it is for?

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::architecture::paths::walk;

/// Where there is Rust.
const FOLDERS: [&str; 5] = ["src", "crates", "projections", "tests", "benches"];

const FORBIDDEN_NAMES: [&str; 6] = ["utils", "helpers", "common", "core", "manager", "service"];
const FILE_LINES_MAX: usize = 400;

/// Every file, by its place in the repository, and its text.
fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(&root.join(folder), &mut |path| {
            let text = fs::read_to_string(path).expect("a source can be read");
            found.push((path.strip_prefix(root).expect("it is inside").to_owned(), text));
        });
    }
    assert!(found.len() > 800, "the sources were found");
    found
}

/// The files for which this holds.
fn those(is_wrong: impl Fn(&Path, &str) -> bool) -> Vec<PathBuf> {
    files().into_iter().filter(|(path, text)| is_wrong(path, text)).map(|(path, _)| path).collect()
}

/// A longer one is about more than one thing: its tests, its tables or its types are found by their topics in several.
#[test]
fn files_are_short() {
    assert_eq!(those(|_, text| text.lines().count() > FILE_LINES_MAX), Vec::<PathBuf>::new());
}

#[test]
fn modules_are_named_for_what_they_are() {
    let is_forbidden = |path: &Path| {
        path.with_extension("").iter().any(|part| FORBIDDEN_NAMES.iter().any(|name| *name == part))
    };
    assert_eq!(those(|path, _| is_forbidden(path)), Vec::<PathBuf>::new());
}

#[test]
fn modules_open_with_what_they_answer() {
    assert_eq!(those(|_, text| !text.starts_with("//!")), Vec::<PathBuf>::new());
}
