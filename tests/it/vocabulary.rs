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
    for folder in ["src", "projections"] {
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
fn a_definition_is_told_from_what_looks_like_one() {
    assert_eq!(public_type("pub struct Grant {"), Some("Grant"));
    assert_eq!(public_type("pub(super) enum Step<'a> {"), Some("Step"));
    assert_eq!(public_type("pub(in crate::stripe) type Row = u8;"), Some("Row"));
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
