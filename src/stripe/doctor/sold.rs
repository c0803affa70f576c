//! Can everything be bought that the catalog sells, and for what it says?

use super::{Code, Level, finding::Findings};
use crate::stripe::setup::{Price, Sold, Wanted};

const SETUP: &str = "run `counterfoil stripe setup`, and set what it prints";

/// Only the ids for new sales are held against the catalog: older ones are there because they differ.
pub(super) fn check(sold: &Sold, wanted: &Wanted, findings: &mut Findings) {
    let (set, unset): (Vec<&Price>, Vec<&Price>) =
        wanted.prices().partition(|price| !price.configured.is_empty());
    if unset.is_empty() {
        findings.ok(Code::PricesSet, format!("{} prices have an id", set.len()));
    } else {
        let names: Vec<&str> = unset.into_iter().map(named).collect();
        let found = format!("these prices have no id, and cannot be bought: {}", names.join(", "));
        findings.warn(Code::PricesSet, found, SETUP);
    }
    let ids = set.iter().flat_map(|price| price.configured.iter().map(|id| (*price, id)));
    let lost = ids.clone().filter(|(_, id)| !sold.prices.contains_key(*id));
    let lost: Vec<String> =
        lost.map(|(price, id)| format!("{id} ({}) is not at Stripe", named(price))).collect();
    let well = format!("{} ids are at Stripe", ids.count());
    findings.all(Code::PricesExist, Level::Error, &lost, SETUP, well);

    let on_sale = set.iter().filter_map(|price| Some((*price, sold.prices.get(price.configured.first()?)?)));
    let count = on_sale.clone().count();
    let archived = on_sale.clone().filter(|(_, kept)| !kept.active);
    let archived: Vec<String> =
        archived.map(|(price, kept)| format!("{} ({}) is archived", kept.id, named(price))).collect();
    let well = format!("{count} prices are on sale");
    findings.all(Code::PricesActive, Level::Error, &archived, SETUP, well);

    let differs = on_sale.clone().filter_map(|(price, kept)| {
        price.differs(kept).map(|differs| format!("{} ({}) costs {differs}", kept.id, named(price)))
    });
    let differs: Vec<String> = differs.collect();
    let well = format!("{count} prices are what the catalog says");
    findings.all(Code::PriceTerms, Level::Error, &differs, SETUP, well);
    check_products(sold, on_sale.map(|(_, kept)| &kept.product), findings);
}

fn check_products<'a>(sold: &Sold, used: impl Iterator<Item = &'a String>, findings: &mut Findings) {
    let gone = |id: &String| sold.products.get(id).is_none_or(|product| !product.active);
    let mut products: Vec<&String> = used.collect();
    products.sort();
    products.dedup();
    let total = products.len();
    products.retain(|id| gone(id));
    let gone: Vec<String> = products.into_iter().map(|id| format!("{id} is archived or gone")).collect();
    findings.all(Code::ProductsActive, Level::Error, &gone, SETUP, format!("{total} products are on sale"));
}

/// Where its id is written.
fn named(price: &Price) -> &str {
    price.setting.as_deref().unwrap_or(&price.path)
}
