//! Which ids do prices have at Stripe? They come from settings, or from the file, where each mode has its own.

use super::{
    Mode,
    mistake::MistakeCause,
    payments::PriceTerms,
    reading::{Node, PriceIdRule, TableEntry, TomlTable},
    stripe_ids::{StripeId, StripeIdKind},
};
use domain::{
    amount::Money,
    catalog::{Earlier, Interval, PlanPrice, StripePrice},
};

const INTERVALS: [(&str, Interval); 2] = [("month", Interval::Month), ("year", Interval::Year)];

/// The prices of a plan, monthly before yearly, with their earlier amounts.
pub(super) fn read_plan_prices(
    node: &Node<'_>,
    terms: &PriceTerms,
) -> Option<(Vec<PlanPrice>, Vec<PlanPrice>)> {
    let known = INTERVALS.map(|(name, _)| name);
    let table = node.table(&known)?;
    let price = |entry: TableEntry<'_>| {
        let (_, interval) = INTERVALS.iter().find(|(name, _)| *name == entry.name)?;
        read_plan_price(&entry.node, *interval, terms)
    };
    let read: Vec<_> = table.entries().into_iter().filter_map(price).collect();
    let (mut prices, earlier): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    prices.sort_by_key(|price| price.interval);
    Some((prices, earlier.into_iter().flatten().collect()))
}

fn read_plan_price(
    node: &Node<'_>,
    interval: Interval,
    terms: &PriceTerms,
) -> Option<(PlanPrice, Vec<PlanPrice>)> {
    let table = node.table(&["amount", "stripe", "earlier"])?;
    let amount = table.required("amount").and_then(|node| terms.price(&node));
    let owner = table.place.path.as_str();
    let stripe = read_stripe(&table, owner, terms);
    let earlier =
        table.or("earlier", Vec::new(), |node| read_earlier(node, owner, amount.as_ref(), terms))?;
    let stripe = without(stripe?, &earlier);
    let of_plan = |Earlier { amount, stripe }| PlanPrice { interval, amount, stripe };
    Some((PlanPrice { interval, amount: amount?, stripe }, earlier.into_iter().map(of_plan).collect()))
}

/// `[{ amount = "7.99", stripe = { … } }]`: amounts that some customers still pay, but new ones do not.
pub(super) fn read_earlier(
    node: &Node<'_>,
    owner: &str,
    today: Option<&Money>,
    terms: &PriceTerms,
) -> Option<Vec<Earlier>> {
    Some(node.items()?.iter().filter_map(|node| read_earlier_price(node, owner, today, terms)).collect())
}

/// Removes the ids of earlier amounts from a price, since nothing may be sold at them, even if the setting still has
/// them.
pub(super) fn without(mut stripe: StripePrice, earlier: &[Earlier]) -> StripePrice {
    let is_today = |id: &String| !earlier.iter().any(|earlier| earlier.stripe.has(id));
    stripe.price_ids.retain(is_today);
    stripe.retired_price_ids.retain(is_today);
    stripe
}

/// `owner`: the path of the price that has these ids.
fn read_earlier_price(
    node: &Node<'_>,
    owner: &str,
    today: Option<&Money>,
    terms: &PriceTerms,
) -> Option<Earlier> {
    let table = node.table(&["amount", "stripe"])?;
    // Only the currency is checked, since the bounds of payments may have been different.
    let amount = table.required("amount").and_then(|node| terms.coinage.price(&node));
    let stripe = read_stripe(&table, owner, terms);
    let amount = amount?;
    if today.is_some_and(|today| today.minor == amount.minor) {
        node.refuse::<()>("this is today's amount; an earlier amount has to differ from it");
    }
    Some(Earlier { amount, stripe: stripe?.retired() })
}

/// The `stripe` key next to a price. Without it, the price has no id, and nothing can be bought at it.
pub(super) fn read_stripe(of: &TomlTable<'_>, owner: &str, terms: &PriceTerms) -> Option<StripePrice> {
    let Some(node) = of.find("stripe") else { return Some(StripePrice::default()) };
    let table = node.table(&["setting", "optional", "product", "test", "live", "retired"])?;
    let retired_price_ids = read_retired(&table, owner);
    let names_modes = table.find("test").is_some() || table.find("live").is_some();
    let stripe = match (table.find("setting"), names_modes) {
        (Some(_), true) => table.refuse("give either a `setting`, or ids for `test` and `live`, not both"),
        (None, false) => table.refuse("give a `setting`, or ids for `test` and `live`"),
        (Some(setting), false) => read_from_setting(&table, &setting, owner, terms),
        (None, true) => read_from_file(&table, owner),
    };
    Some(StripePrice { retired_price_ids, ..stripe? })
}

/// `{ test = { price = "…", product = "…" }, live = { … } }`
fn read_from_file(table: &TomlTable<'_>, owner: &str) -> Option<StripePrice> {
    for key in ["optional", "product"] {
        if let Some(node) = table.find(key) {
            node.refuse::<()>(format!("`{key}` goes with a `setting`, not with `test` and `live`"));
        }
    }
    let test = table.find(Mode::Test.as_str()).map(|node| read_ids(&node, Mode::Test, owner));
    let live = table.find(Mode::Live.as_str()).map(|node| read_ids(&node, Mode::Live, owner));
    let mode = table.reading.mode;
    let chosen = match mode {
        Mode::Test => test,
        Mode::Live => live,
    };
    if chosen.is_none() && table.reading.ids == PriceIdRule::Optional {
        return Some(StripePrice::default());
    }
    chosen.unwrap_or_else(|| {
        let other = mode.other();
        table.refuse(format!(
            "there are ids for {other} only, and the mode is {mode}; the two cannot be mixed"
        ))
    })
}

fn read_ids(node: &Node<'_>, mode: Mode, owner: &str) -> Option<StripePrice> {
    let table = node.table(&["price", "product"])?;
    let price =
        table.required("price").and_then(|node| read_id(&node, StripeIdKind::Price, Some(mode), owner));
    let product =
        table.or("product", None, |node| read_id(node, StripeIdKind::Product, Some(mode), owner).map(Some));
    Some(StripePrice { price_ids: vec![price?], product_id: product?, ..StripePrice::default() })
}

fn read_id(node: &Node<'_>, kind: StripeIdKind, mode: Option<Mode>, owner: &str) -> Option<String> {
    let (id, owner, place) = (node.text()?.to_owned(), owner.to_owned(), node.place.clone());
    node.reading.take_stripe_id(StripeId { id, kind, owner, mode, place, cause: MistakeCause::File })
}

/// A product at Stripe, and the setting that has its id, if there is one.
#[derive(Default)]
pub(super) struct CatalogProduct {
    pub id: Option<String>,
    pub setting: Option<String>,
}

/// `"prod_…"`, or `{ setting = "NAME" }` if the id comes from a setting.
pub(super) fn read_product(node: &Node<'_>, owner: &str) -> Option<CatalogProduct> {
    if node.value.as_str().is_some() {
        return read_id(node, StripeIdKind::Product, None, owner)
            .map(|id| CatalogProduct { id: Some(id), setting: None });
    }
    let table = node.table(&["setting"])?;
    let setting = table.required("setting")?;
    let name = setting.text()?;
    let named = |id| CatalogProduct { id, setting: Some(name.to_owned()) };
    let Some(id) = node.reading.setting(name) else { return Some(named(None)) };
    let (owner, place) = (owner.to_owned(), setting.place.clone());
    let id =
        StripeId { id, kind: StripeIdKind::Product, owner, mode: None, place, cause: MistakeCause::Setting };
    node.reading.take_stripe_id(id).map(|id| named(Some(id)))
}

fn read_retired(table: &TomlTable<'_>, owner: &str) -> Vec<String> {
    let items = table.find("retired").and_then(|node| node.items()).unwrap_or_default();
    items.iter().filter_map(|node| read_id(node, StripeIdKind::Price, None, owner)).collect()
}

/// `{ setting = "NAME", optional = true }`; the setting may have several ids, separated by commas.
fn read_from_setting(
    table: &TomlTable<'_>,
    setting: &Node<'_>,
    owner: &str,
    terms: &PriceTerms,
) -> Option<StripePrice> {
    let optional = table.or("optional", false, Node::boolean);
    let product =
        table.or("product", None, |node| read_id(node, StripeIdKind::Product, None, owner).map(Some));
    let (name, optional, product_id) = (setting.text()?, optional?, product?);
    let value = setting.reading.setting(name);
    let needed = !optional && terms.payments.enabled && table.reading.ids == PriceIdRule::Needed;
    if value.is_none() && needed {
        let message = format!("setting {name} is missing; it has the id that this price has at Stripe");
        setting.reading.report(&setting.place, MistakeCause::Setting, message);
    }
    let mut price_ids: Vec<String> = Vec::new();
    for id in value.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|id| !id.is_empty()) {
        let (id, owner, place) = (id.to_owned(), owner.to_owned(), setting.place.clone());
        let id = StripeId {
            id,
            kind: StripeIdKind::Price,
            owner,
            mode: None,
            place,
            cause: MistakeCause::Setting,
        };
        let taken = setting.reading.take_stripe_id(id);
        price_ids.extend(taken.filter(|id| !price_ids.contains(id)));
    }
    Some(StripePrice { price_ids, product_id, setting: Some(name.to_owned()), ..StripePrice::default() })
}
