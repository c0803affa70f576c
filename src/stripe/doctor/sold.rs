//! Can everything be bought that the catalog sells, and for what it says?

use super::{Code, Level, finding::Findings};
use crate::stripe::setup::{Price, Sold, Wanted};

const SETUP: &str = "run `counterfoil stripe setup`, and set what it prints";

/// Only the ids for new sales are held against the catalog: older ones are there because they differ.
pub(super) fn check(sold: &Sold, wanted: &Wanted, findings: &mut Findings) {
    let prices: Vec<&Price> = wanted.prices().collect();
    let count = |what: &str| format!("{} prices {what}", prices.len());
    let unset: Vec<String> =
        prices.iter().filter(|price| price.configured.is_empty()).map(|price| unset(price)).collect();
    findings.all(Code::PricesSet, Level::Warning, &unset, SETUP, count("have an id"));

    let ids = prices.iter().flat_map(|price| price.configured.iter().map(|id| (*price, id)));
    let lost = ids.filter(|(_, id)| !sold.prices.contains_key(*id));
    let lost: Vec<String> =
        lost.map(|(price, id)| format!("{id} ({}) is not at Stripe", named(price))).collect();
    findings.all(Code::PricesExist, Level::Error, &lost, SETUP, count("are at Stripe"));

    let on_sale =
        prices.iter().filter_map(|price| Some((*price, sold.prices.get(price.configured.first()?)?)));
    let archived = on_sale.clone().filter(|(_, kept)| !kept.active);
    let archived: Vec<String> =
        archived.map(|(price, kept)| format!("{} ({}) is archived", kept.id, named(price))).collect();
    findings.all(Code::PricesActive, Level::Error, &archived, SETUP, count("are on sale"));

    let differs = on_sale.clone().filter_map(|(price, kept)| {
        price.differs(kept).map(|differs| format!("{} ({}) costs {differs}", kept.id, named(price)))
    });
    let differs: Vec<String> = differs.collect();
    findings.all(Code::PriceTerms, Level::Error, &differs, SETUP, count("cost what the catalog says"));

    let gone = |id: &String| sold.products.get(id).is_none_or(|product| !product.active);
    let mut products: Vec<&String> = on_sale.map(|(_, kept)| &kept.product).collect();
    products.sort();
    products.dedup();
    let total = products.len();
    products.retain(|id| gone(id));
    let gone: Vec<String> = products.into_iter().map(|id| format!("{id} is archived or gone")).collect();
    findings.all(Code::ProductsActive, Level::Error, &gone, SETUP, format!("{total} products are on sale"));
}

fn unset(price: &Price) -> String {
    match &price.setting {
        Some(setting) => format!("{setting} is not set, so {} cannot be bought", price.path),
        None => format!("{} has no id in the catalog, so it cannot be bought", price.path),
    }
}

/// Where its id is written.
fn named(price: &Price) -> &str {
    price.setting.as_deref().unwrap_or(&price.path)
}
