//! Can everything be bought that the catalog sells, at its prices?

use super::{Code, Level, finding::Findings};
use crate::stripe::provisioning::setup::{ActualOffers, DesiredPrice, DesiredState};

const SETUP: &str = "run `counterfoil stripe setup`, and set what it prints";

/// Only ids for new sales are compared with the catalog, since older ones have other amounts.
pub(super) fn check(sold: &ActualOffers, wanted: &DesiredState, findings: &mut Findings) {
    let (set, unset): (Vec<&DesiredPrice>, Vec<&DesiredPrice>) =
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
    let earlier = wanted.prices().flat_map(|price| earlier_differs(price, sold));
    let differs: Vec<String> = differs.chain(earlier).collect();
    let well = format!("{count} prices are what the catalog says");
    findings.all(Code::PriceTerms, Level::Error, &differs, SETUP, well);
    let without_price = wanted.offers.iter().filter(|offer| offer.prices.is_empty());
    let products = without_price.filter_map(|offer| offer.product_given.as_ref());
    check_products(sold, on_sale.map(|(_, kept)| &kept.product).chain(products), findings);
    check_retired(sold, wanted, findings);
}

/// Ids that the catalog has for an earlier amount, with another amount at Stripe.
fn earlier_differs(price: &DesiredPrice, sold: &ActualOffers) -> Vec<String> {
    let ids = price.earlier.iter().flat_map(|earlier| earlier.configured.iter().map(move |id| (earlier, id)));
    let differs = ids.filter_map(|(earlier, id)| {
        let once = DesiredPrice { amount: earlier.amount.clone(), ..price.clone() };
        let differs = once.differs(sold.prices.get(id)?)?;
        Some(format!("{id} ({}, an earlier amount) costs {differs}", price.path))
    });
    differs.collect()
}

/// Prices that are still on sale at Stripe, on its pages and payment links, but not in the catalog.
fn check_retired(sold: &ActualOffers, wanted: &DesiredState, findings: &mut Findings) {
    let retired = wanted.retired.iter().flat_map(|offer| &offer.prices);
    let retired = retired.flat_map(|price| price.configured.iter().map(move |id| (price, id)));
    let earlier = wanted.known_prices().flat_map(|price| {
        price.earlier.iter().flat_map(|earlier| &earlier.configured).map(move |id| (price, id))
    });
    let ids: Vec<(&DesiredPrice, &String)> = retired.chain(earlier).collect();
    let on_sale = ids.iter().filter(|(_, id)| sells(sold, id));
    let on_sale: Vec<String> =
        on_sale.map(|(price, id)| format!("{id} ({}) is still on sale at Stripe", price.path)).collect();
    let well = format!("{} ids of what is not sold any more are archived", ids.len());
    findings.all(Code::Retired, Level::Warning, &on_sale, SETUP, well);
}

fn sells(sold: &ActualOffers, id: &str) -> bool {
    let kept = sold.prices.get(id).filter(|kept| kept.active);
    let product = kept.and_then(|kept| sold.products.get(&kept.product));
    product.is_some_and(|product| product.active)
}

fn check_products<'a>(sold: &ActualOffers, used: impl Iterator<Item = &'a String>, findings: &mut Findings) {
    let gone = |id: &String| sold.products.get(id).is_none_or(|product| !product.active);
    let mut products: Vec<&String> = used.collect();
    products.sort();
    products.dedup();
    let total = products.len();
    products.retain(|id| gone(id));
    let gone: Vec<String> = products.into_iter().map(|id| format!("{id} is archived or gone")).collect();
    findings.all(Code::ProductsActive, Level::Error, &gone, SETUP, format!("{total} products are on sale"));
}

/// Where its id is configured.
fn named(price: &DesiredPrice) -> &str {
    price.setting.as_deref().unwrap_or(&price.path)
}
