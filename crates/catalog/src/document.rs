//! What does the file say as a whole, and do its parts agree?

use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::{
    CatalogMistake, Mode, SettingLookup,
    currency::Coinage,
    generations, identifiers, packs,
    payments::{self, PriceTerms},
    plans,
    reading::{CatalogReading, Node, PriceIdRule, TomlTable},
    suggestion::unknown,
    syntax, top_up,
};
use domain::{
    catalog::{Allocation, Catalog, DebtPolicy, Plan},
    ids::PlanId,
};

const KEYS: [&str; 12] = [
    "name",
    "currency",
    "scale",
    "time_zone",
    "free_plan",
    "debt",
    "features",
    "plans",
    "packs",
    "top_up",
    "generations",
    "payments",
];

const DEBTS: [(&str, DebtPolicy); 2] = [("owe", DebtPolicy::Owe), ("forgive", DebtPolicy::Forgive)];

/// All mistakes in the file, and the catalog as far as it can be read.
pub(super) fn read(
    text: &str,
    settings: SettingLookup<'_>,
    mode: Mode,
    ids: PriceIdRule,
) -> (Option<Catalog>, Vec<CatalogMistake>) {
    let syntax = syntax::read(text);
    if !syntax.is_legible {
        return (None, syntax.mistakes);
    }
    let reading = CatalogReading::new(text, settings, mode, ids);
    let catalog = read_root(&TomlTable::root(&reading, &syntax.table), hash(text));
    reading.report_conflicts();
    let mut mistakes = reading.into_mistakes();
    mistakes.extend(syntax.mistakes);
    mistakes.sort();
    (catalog, mistakes)
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn read_root(root: &TomlTable<'_>, hash: String) -> Option<Catalog> {
    root.check_keys(&KEYS);
    let name = root.required("name").and_then(|node| node.text());
    let scale = root.or("scale", 0, |node| node.integer(0..=6));
    let time_zone = root.or("time_zone", Tz::UTC, read_time_zone);
    let debt = root.or("debt", DebtPolicy::Owe, |node| node.one_of("debt policy", &DEBTS));
    let features = identifiers::read_features(root);
    let terms = read_terms(root)?;
    let plans = plans::read(root, &features, &terms);
    let packs = packs::read(root, &terms);
    let top_up = root.or("top_up", None, |node| top_up::read(node, &terms).map(Some));
    let generations = generations::read(root, &features, &plans);
    let free_plan = read_free_plan(root, &plans);
    check_allocations(root, &plans);
    Some(Catalog {
        name: name?.to_owned(),
        hash: hash.into(),
        currency: terms.coinage.currency,
        scale: u8::try_from(scale?).ok()?,
        time_zone: time_zone?,
        free_plan: free_plan?,
        features,
        plans,
        packs,
        top_up: top_up?,
        generations,
        debt: debt?,
        payments: terms.payments,
    })
}

/// The currency and the range of payments. If they are wrong, the defaults are used, so that prices can still be
/// checked.
fn read_terms(root: &TomlTable<'_>) -> Option<PriceTerms> {
    let default = Coinage::default_of_catalogs()?;
    let coinage = root.or("currency", default.clone(), Coinage::read).unwrap_or(default);
    let payments = root.or("payments", payments::defaults(&coinage), |node| payments::read(node, &coinage));
    let payments = payments.unwrap_or_else(|| payments::defaults(&coinage));
    Some(PriceTerms { coinage, payments })
}

fn read_time_zone(node: &Node<'_>) -> Option<Tz> {
    let text = node.text()?;
    let known: Vec<_> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    text.parse().map_or_else(|_| node.refuse(unknown("time zone", text, &known)), Some)
}

/// The plan of accounts without a subscription. Every account has a plan, so there must be one, and it costs nothing.
fn read_free_plan(root: &TomlTable<'_>, plans: &[Plan]) -> Option<PlanId> {
    let Some(node) = root.find("free_plan") else {
        return root.refuse(
            "`free_plan` is missing: name the plan of an account without a subscription; it may give nothing",
        );
    };
    let text = node.text()?;
    let defined = root.find("plans").and_then(|node| node.as_table()).map(|table| table.entries());
    let known: Vec<_> = defined.iter().flatten().map(|entry| entry.name).collect();
    if !known.contains(&text) {
        return node.refuse(unknown("plan", text, &known));
    }
    // A plan that is defined but was not read has mistakes of its own, which have been reported.
    let plan = plans.iter().find(|plan| plan.id.as_str() == text)?;
    if plan.prices.iter().any(|price| price.amount.minor > 0) {
        return node.refuse(format!(
            "`{text}` has a price, so it cannot be the plan of accounts without a subscription"
        ));
    }
    if !plan.is_sold() {
        return node.refuse(format!("`{text}` is retired, but accounts without a subscription need a plan"));
    }
    Some(plan.id.clone())
}

/// Credits that are given once are only for a plan that costs nothing: a renewal would be paid, and give nothing.
fn check_allocations(root: &TomlTable<'_>, plans: &[Plan]) {
    let Some(table) = root.find("plans").and_then(|node| node.as_table()) else { return };
    for entry in table.entries() {
        let plan = plans.iter().find(|plan| plan.id.as_str() == entry.name);
        let is_sold = |plan: &Plan| plan.prices.iter().any(|price| price.amount.minor > 0);
        if plan.is_some_and(|plan| matches!(plan.allocation, Allocation::Once(_)) && is_sold(plan)) {
            entry.refuse_key::<()>(
                "credits that come `once` are for a plan without a price; make this a pack",
            );
        }
    }
}
