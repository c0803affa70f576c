//! Does each dependency have a reason? One line each in `docs/dependencies.md`, and none for what is not there.

use std::collections::BTreeSet;

const MANIFEST: &str = include_str!("../../../Cargo.toml");
const REASONS: &str = include_str!("../../../docs/dependencies.md");

#[test]
fn each_dependency_has_a_reason() {
    let manifest: toml::Table = MANIFEST.parse().expect("the manifest is TOML");
    let names =
        |section: &str| manifest[section].as_table().expect("a table").keys().cloned().collect::<Vec<_>>();
    let used: BTreeSet<String> = names("dependencies").into_iter().chain(names("dev-dependencies")).collect();
    let rows = REASONS.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let explained: BTreeSet<String> =
        rows.map(|(name, _)| name.to_owned()).filter(|name| name != "crate").collect();
    assert_eq!(explained, used);
}
