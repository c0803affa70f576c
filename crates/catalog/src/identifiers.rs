//! Which names does the file define, and does it use only those?

use std::collections::{BTreeMap, BTreeSet};

use super::{
    reading::{Node, TableEntry, TomlTable},
    suggestion::unknown,
};
use domain::ids::{FeatureId, InvalidIdentifier};

/// The identifier that a key defines.
pub(super) fn identify<T>(
    entry: &TableEntry<'_>,
    parse: impl FnOnce(&str) -> Result<T, InvalidIdentifier>,
) -> Option<T> {
    parse(entry.name).map_or_else(|error| entry.refuse_key(format!("{error}")), Some)
}

/// The defined features, with the names that people see.
pub(super) type FeatureNames = BTreeMap<FeatureId, String>;

pub(super) fn read_features(root: &TomlTable<'_>) -> FeatureNames {
    let Some(table) = root.find("features").and_then(|node| node.open_table("a table of features")) else {
        return FeatureNames::new();
    };
    let feature = |entry: TableEntry<'_>| {
        let (id, name) = (identify(&entry, FeatureId::parse), entry.node.text());
        // A feature with an invalid name is still defined, so that references to it are not reported as mistakes, too.
        Some((id?, name.unwrap_or_default().to_owned()))
    };
    table.entries().into_iter().filter_map(feature).collect()
}

/// A list of features. Each must be defined, and none may be listed twice.
pub(super) fn read_feature_list(node: &Node<'_>, features: &FeatureNames) -> Option<BTreeSet<FeatureId>> {
    let known: Vec<_> = features.keys().map(FeatureId::as_str).collect();
    let mut named = BTreeSet::new();
    for item in node.items()? {
        let Some(text) = item.text() else { continue };
        let Some(feature) = FeatureId::parse(text).ok().filter(|id| features.contains_key(id)) else {
            item.refuse::<()>(unknown("feature", text, &known));
            continue;
        };
        if !named.insert(feature) {
            item.refuse::<()>(format!("`{text}` is in the list twice"));
        }
    }
    Some(named)
}
