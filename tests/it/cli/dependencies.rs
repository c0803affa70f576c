//! Does each dependency have a reason? One line each in `docs/dependencies.md`, and none for what is not there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::python;

const MANIFEST: &str = include_str!("../../../Cargo.toml");
const NODE_MANIFEST: &str = include_str!("../../clients/typescript/package.json");
const REASONS: &str = include_str!("../../../docs/dependencies.md");
/// Where crates end and what other languages have begins.
const FOREIGN: &str = "## Of the tests, from npm and PyPI";

/// The first column of each table.
fn explained(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.map(|(name, _)| name).filter(|name| !["crate", "package"].contains(name)).collect()
}

#[test]
fn each_dependency_has_a_reason() {
    let manifest: toml::Table = MANIFEST.parse().expect("the manifest is TOML");
    let names = |section: &str| manifest[section].as_table().expect("a table").keys();
    let used: BTreeSet<&str> =
        names("dependencies").chain(names("dev-dependencies")).map(String::as_str).collect();
    let (crates, _) = REASONS.split_once(FOREIGN).expect("two parts");
    assert_eq!(explained(crates), used);
}

#[test]
fn each_package_that_a_test_installs_has_a_reason() {
    let manifest: Value = serde_json::from_str(NODE_MANIFEST).expect("the manifest is JSON");
    let names = |section: &str| manifest[section].as_object().expect("an object").keys();
    let of_node = names("dependencies").chain(names("devDependencies")).map(String::as_str);
    let of_python = python::PACKAGES.iter().map(|package| package.split("==").next().expect("a name"));
    let used: BTreeSet<&str> = of_node.chain(of_python).collect();
    let (_, foreign) = REASONS.split_once(FOREIGN).expect("two parts");
    assert_eq!(explained(foreign), used);
}
