//! What do generations cost?

use std::collections::{BTreeMap, BTreeSet};

use super::{
    credits::read_credits,
    identifiers::{FeatureNames, identify, read_feature_list},
    reading::{Node, TableEntry, TomlTable},
};
use domain::{
    amount::Credits,
    catalog::{GenerationPrice, Plan},
    ids::{FeatureId, GenerationType, OptionName},
};

type Generations = BTreeMap<GenerationType, GenerationPrice>;
type GenerationOptions = BTreeMap<OptionName, BTreeMap<OptionName, Credits>>;

/// `plans`: those that may have the required features.
pub(super) fn read(root: &TomlTable<'_>, features: &FeatureNames, plans: &[Plan]) -> Generations {
    let Some(table) = root.find("generations").and_then(|node| node.open_table("a table of generations"))
    else {
        return Generations::new();
    };
    table.entries().iter().filter_map(|entry| read_generation(entry, features, plans)).collect()
}

fn read_generation(
    entry: &TableEntry<'_>,
    features: &FeatureNames,
    plans: &[Plan],
) -> Option<(GenerationType, GenerationPrice)> {
    let kind = identify(entry, GenerationType::parse);
    let table = entry.node.table(&["name", "credits", "needs", "options"])?;
    let name = table.required("name").and_then(|node| node.text());
    let base = table.required("credits").and_then(|node| read_credits(&node, 0));
    let needs = table.or("needs", BTreeSet::new(), |node| {
        let needs = read_feature_list(node, features)?;
        check_reachable(node, &needs, plans);
        Some(needs)
    });
    let options = table.or("options", GenerationOptions::new(), read_options);
    Some((kind?, GenerationPrice { name: name?.to_owned(), base: base?, needs: needs?, options: options? }))
}

/// If no plan allows a generation, a plan probably lacks a feature by mistake.
fn check_reachable(node: &Node<'_>, needs: &BTreeSet<FeatureId>, plans: &[Plan]) {
    if node.reading.is_wrong_under("plans") {
        return;
    }
    if !plans.iter().any(|plan| plan.features.is_superset(needs)) {
        node.refuse::<()>("no plan has all of these features, so nobody could use this");
    }
}

/// `options.quality = { standard = 0, high = 3 }`
fn read_options(node: &Node<'_>) -> Option<GenerationOptions> {
    let option = |entry: TableEntry<'_>| {
        let (name, values) = (identify(&entry, OptionName::parse), read_values(&entry.node));
        Some((name?, values?))
    };
    Some(node.open_table("a table of options")?.entries().into_iter().filter_map(option).collect())
}

fn read_values(node: &Node<'_>) -> Option<BTreeMap<OptionName, Credits>> {
    let entries =
        node.open_table("a table of the option's values and what each adds to the price")?.entries();
    if entries.is_empty() {
        return node.refuse("an option has at least one value");
    }
    let value = |entry: TableEntry<'_>| {
        let (name, surcharge) = (identify(&entry, OptionName::parse), read_credits(&entry.node, 0));
        Some((name?, surcharge?))
    };
    Some(entries.into_iter().filter_map(value).collect())
}
