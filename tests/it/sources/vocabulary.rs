//! Does each name mean one thing?

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What begins the definition of a type.
const KINDS: [&str; 5] = ["struct ", "enum ", "trait ", "type ", "union "];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Words of our own that the field has terms for. No type is called by one of them again.
const RETIRED: [&str; 16] = [
    "Asked", "Cargo", "Desk", "Fact", "Fate", "Flight", "Kept", "Landed", "Lane", "Lost", "Said", "Shelf",
    "Shelved", "Told", "Wanted", "Wish",
];

/// The words of a name: `HoldRequest` has two.
fn words(name: &str) -> Vec<&str> {
    let starts =
        name.char_indices().filter(|(_, character)| character.is_ascii_uppercase()).map(|(start, _)| start);
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([name.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| &name[start..end]).collect()
}

/// The type that a line defines for others: at the top level of its module, and not for that module alone.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(inside) => inside.split_once(')')?.1,
        None => rest,
    };
    let definition = rest.strip_prefix(' ')?;
    let named = KINDS.iter().find_map(|kind| definition.strip_prefix(kind))?;
    named.split(|character: char| !character.is_alphanumeric()).next().filter(|name| !name.is_empty())
}

#[test]
fn no_two_public_types_share_a_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "projections"] {
        sources(&root.join(folder), &mut files);
    }
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let place = file.strip_prefix(root).unwrap().display().to_string();
        for line in fs::read_to_string(&file).unwrap().lines() {
            if let Some(name) = public_type(line) {
                places.entry(name.to_owned()).or_default().push(place.clone());
            }
        }
    }
    assert!(places.len() > 900, "the definitions are found: {}", places.len());
    let shared: Vec<_> = places.into_iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(shared.is_empty(), "docs/GLOSSARY.md says how things are called: {shared:#?}");
}

#[test]
fn no_type_has_a_name_that_was_given_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "projections"] {
        sources(&root.join(folder), &mut files);
    }
    for file in files {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let named = KINDS
                .iter()
                .find_map(|kind| line.trim_start().strip_prefix("pub ").unwrap_or(line).strip_prefix(kind));
            let name =
                named.and_then(|rest| rest.split(|character: char| !character.is_alphanumeric()).next());
            for word in name.or_else(|| public_type(line)).map(words).unwrap_or_default() {
                assert!(
                    !RETIRED.contains(&word),
                    "{}: {line}: docs/GLOSSARY.md has another word",
                    file.display()
                );
            }
        }
    }
    assert_eq!(words("DueHoldRequest"), ["Due", "Hold", "Request"]);
}

/// What is read of a query or a path says so.
#[test]
fn parameters_end_in_what_they_are_read_of() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut files);
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for derived in text.split("IntoParams)]").skip(1) {
            let name = derived.lines().find_map(public_type).expect("a type is derived for");
            found += 1;
            assert!(name.ends_with("Query") || name.ends_with("Path"), "{}: {name}", file.display());
        }
    }
    assert!(found > 15, "{found}");
}

/// The longest line of prose.
const COLUMNS_MAX: usize = 120;

/// The lines of a document that are prose: no code, no table, and nothing that cannot be broken.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence && !line.starts_with(['|', '#', '<'])
    });
    lines.collect()
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn no_line_of_prose_is_longer_than_120_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|page| root.join(page)).into();
    documents(&root.join("docs"), &mut pages);
    let mut files = Vec::new();
    for folder in ["src", "crates", "projections", "tests", "benches"] {
        sources(&root.join(folder), &mut files);
    }
    let mut long = Vec::new();
    let mut note = |file: &Path, line: &str| {
        if line.chars().count() > COLUMNS_MAX && line.trim().contains(' ') {
            long.push(format!("{}: {line}", file.strip_prefix(root).unwrap().display()));
        }
    };
    for page in pages {
        prose(&fs::read_to_string(&page).unwrap()).into_iter().for_each(|line| note(&page, line));
    }
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        text.lines().filter(|line| line.trim_start().starts_with("//")).for_each(|line| note(&file, line));
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn a_definition_is_told_from_what_looks_like_one() {
    assert_eq!(public_type("pub struct Grant {"), Some("Grant"));
    assert_eq!(public_type("pub(super) enum Step<'a> {"), Some("Step"));
    assert_eq!(public_type("pub(in crate::database::stripe) type Row = u8;"), Some("Row"));
    for other in [
        "struct Grant;",
        "    pub struct Grant;",
        "pub fn enum_of() {}",
        "pub const A: u8 = 1;",
        "// pub struct A",
    ] {
        assert_eq!(public_type(other), None, "{other}");
    }
}
