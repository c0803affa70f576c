//! What does a chosen number of credits cost?

use super::{
    credits::read_credits,
    packs::EXPIRY_DAYS_MAX,
    payments::{PriceTerms, days},
    prices::{CatalogProduct, read_product},
    reading::{Node, TomlTable},
};
use domain::{amount::Credits, catalog::TopUp, fraction::Fraction};

const KEYS: [&str; 6] = ["name", "price_per_credit", "smallest", "largest", "expires_after_days", "product"];

/// How many decimals of a minor unit the price of one credit may have.
const DECIMALS_MAX: usize = 9;

/// `{ price_per_credit = "0.012", smallest = 100, largest = 100000 }`
pub(super) fn read(node: &Node<'_>, terms: &PriceTerms) -> Option<TopUp> {
    let table = node.table(&KEYS)?;
    let name = table.or("name", "Credits", Node::text);
    let price = table.required("price_per_credit").and_then(|node| read_price(&node, terms));
    let smallest = table.required("smallest").and_then(|node| read_credits(&node, 1));
    let largest = table.required("largest").and_then(|node| read_credits(&node, 1));
    let expiry = table.or("expires_after_days", None, |node| days(node, 1, EXPIRY_DAYS_MAX).map(Some));
    let product =
        table.or("product", CatalogProduct::default(), |node| read_product(node, &table.place.path));
    let product = product?;
    let top_up = TopUp {
        name: name?.to_owned(),
        price_per_credit: price?,
        currency: terms.coinage.currency.clone(),
        smallest: smallest?,
        largest: largest?,
        expires_after_days: expiry?,
        product_id: product.id,
        product_setting: product.setting,
    };
    check_range(&table, &top_up, terms);
    Some(top_up)
}

/// An exact decimal in the currency's main unit, such as `"0.0125"`, as minor units for one credit.
fn read_price(node: &Node<'_>, terms: &PriceTerms) -> Option<Fraction> {
    let text = node.quoted_price()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.ends_with('.') || !is_number(whole) || !is_number(fraction) {
        return node
            .refuse(format!("`{text}` is not a price; write digits and one point, such as \"0.0125\""));
    }
    let most = terms.coinage.decimals.saturating_add(DECIMALS_MAX);
    if fraction.len() > most {
        return node.refuse(format!("`{text}` has more than {most} decimals"));
    }
    // Padded to whole minor units; further digits become the denominator.
    let padded = format!("{fraction:0<width$}", width = terms.coinage.decimals);
    let behind = padded.len().saturating_sub(terms.coinage.decimals);
    let numerator = format!("{whole}{padded}").parse::<u64>().ok();
    let denominator = u32::try_from(behind).ok().and_then(|behind| 10_u64.checked_pow(behind));
    match numerator.zip(denominator) {
        Some((0, _)) => node.refuse("credits that are given away are a bonus; they have no price"),
        Some((numerator, denominator)) => Fraction::new(numerator.into(), denominator.into()),
        None => node.refuse(format!("`{text}` is too large for a price")),
    }
}

/// Checks that the smallest and the largest number of credits can be charged.
fn check_range(table: &TomlTable<'_>, top_up: &TopUp, terms: &PriceTerms) {
    if top_up.smallest > top_up.largest {
        let (smallest, largest) = (top_up.smallest, top_up.largest);
        table.refuse::<()>(format!("the smallest, {smallest} credits, is more than the largest, {largest}"));
        return;
    }
    for (key, credits) in [("smallest", top_up.smallest), ("largest", top_up.largest)] {
        if let Some(node) = table.find(key) {
            check_credits(&node, top_up, credits, terms);
        }
    }
}

fn check_credits(node: &Node<'_>, top_up: &TopUp, credits: Credits, terms: &PriceTerms) {
    let Some(price) = top_up.price_of(credits) else {
        node.refuse::<()>(format!("{credits} credits cost more than an amount can hold"));
        return;
    };
    let what = format!("{credits} credits cost {}", terms.coinage.show(price.minor));
    terms.check_payment(node, Some(&what), price.minor);
}
