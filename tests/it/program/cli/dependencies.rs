//! Does each dependency have a reason? One line each in `docs/dependencies.md`, and none for what is not there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::python;

const MANIFEST: &str = include_str!("../../../../Cargo.toml");
const NODE_MANIFESTS: [&str; 2] = [
    include_str!("../../../clients/typescript/package.json"),
    include_str!("../../../../examples/nextjs/package.json"),
];
const PYTHON_REQUIREMENTS: &str = include_str!("../../../../examples/python/requirements.txt");
const REASONS: &str = include_str!("../../../../docs/dependencies.md");
/// Where crates end and what other languages have begins.
const FOREIGN: &str = "## Of the tests and examples, from npm and PyPI";

/// The first column of each table.
fn explained(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.map(|(name, _)| name).filter(|name| !["crate", "package"].contains(name)).collect()
}

/// The names of a section of the manifest, but for the crates of this workspace.
fn foreign<'a>(manifest: &'a toml::Table, section: &[&str]) -> BTreeSet<&'a str> {
    let path = section.iter().try_fold(manifest, |table, name| table[*name].as_table());
    let table = path.expect("a table").iter();
    let is_ours = |value: &toml::Value| value.get("path").is_some();
    table.filter(|(_, value)| !is_ours(value)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn each_dependency_has_a_reason() {
    let manifest: toml::Table = MANIFEST.parse().expect("the manifest is TOML");
    let sections: [&[&str]; 3] = [&["workspace", "dependencies"], &["dependencies"], &["dev-dependencies"]];
    let ours = manifest["workspace"]["dependencies"].as_table().expect("a table");
    let is_ours = |name: &&str| ours.get(*name).is_some_and(|value| value.get("path").is_some());
    let used: BTreeSet<&str> = sections
        .iter()
        .flat_map(|section| foreign(&manifest, section))
        .filter(|name| !is_ours(name))
        .collect();
    let (crates, _) = REASONS.split_once(FOREIGN).expect("two parts");
    assert_eq!(explained(crates), used);
}

#[test]
fn each_package_that_a_test_or_an_example_installs_has_a_reason() {
    let manifests =
        NODE_MANIFESTS.map(|manifest| serde_json::from_str(manifest).expect("the manifest is JSON"));
    let names = |manifest: &Value| -> Vec<String> {
        let sections = ["dependencies", "devDependencies"].map(|section| manifest[section].as_object());
        sections
            .into_iter()
            .map(|section| section.expect("an object"))
            .flat_map(|names| names.keys().cloned())
            .collect()
    };
    let of_node: Vec<String> = manifests.iter().flat_map(names).collect();
    let of_python = python::PACKAGES.into_iter().chain(PYTHON_REQUIREMENTS.lines());
    let of_python = of_python.map(|package| package.split("==").next().expect("a name"));
    let used: BTreeSet<&str> = of_node.iter().map(String::as_str).chain(of_python).collect();
    let (_, foreign) = REASONS.split_once(FOREIGN).expect("two parts");
    assert_eq!(explained(foreign), used);
}
