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

/// Whether the module above names the file: `mod name;`, `name::` in the row of a table, or its path.
fn is_declared(path: &Path) -> bool {
    let (folder, name) = (path.parent().expect("a folder"), path.file_stem().expect("a name"));
    let (folder, name) = if name == "mod" {
        (folder.parent().expect("a folder"), folder.file_name())
    } else {
        (folder, Some(name))
    };
    let name = name.expect("a name").to_string_lossy();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let above = ["mod.rs", "lib.rs", "main.rs"].map(|file| root.join(file)).into_iter();
    let texts = above.chain([root.with_extension("rs")]).filter_map(|file| fs::read_to_string(file).ok());
    let naming = [format!("mod {name};"), format!(" {name}::"), format!("/{name}/mod.rs\"")];
    texts.into_iter().any(|text| naming.iter().any(|naming| text.contains(naming)))
}

/// A file that no module names is not compiled, and nothing says so. Those of `tests/unit` are named by path.
#[test]
fn every_file_is_a_part_of_the_program() {
    let stands_alone = |path: &Path| {
        let name = path.file_stem().expect("a name");
        ["lib", "main", "build"].iter().any(|alone| name == *alone)
            || path.starts_with("tests/unit")
            || path == Path::new("projections/mod.rs")
    };
    assert_eq!(those(|path, _| !stands_alone(path) && !is_declared(path)), Vec::<PathBuf>::new());
}

#[test]
fn modules_open_with_what_they_answer() {
    assert_eq!(those(|_, text| !text.starts_with("//!")), Vec::<PathBuf>::new());
}
