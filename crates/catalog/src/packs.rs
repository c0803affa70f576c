//! Which packs can be bought?

use super::{
    credits::read_credits,
    identifiers::identify,
    payments::{PriceTerms, days},
    plans::read_standing,
    prices::{read_earlier, read_stripe, without},
    reading::{Node, TableEntry, TomlTable},
};
use domain::{
    catalog::{Availability, Pack},
    ids::PackId,
    top_up::PACK,
};

const KEYS: [&str; 7] = ["name", "retired", "credits", "price", "earlier", "expires_after_days", "stripe"];

pub(super) const EXPIRY_DAYS_MAX: i64 = 3_650;

/// The packs in the order of the file.
pub(super) fn read(root: &TomlTable<'_>, terms: &PriceTerms) -> Vec<Pack> {
    let Some(table) = root.find("packs").and_then(|node| node.open_table("a table of packs")) else {
        return Vec::new();
    };
    table.entries().iter().filter_map(|entry| read_pack(entry, terms)).collect()
}

fn read_pack(entry: &TableEntry<'_>, terms: &PriceTerms) -> Option<Pack> {
    if entry.name == PACK {
        return entry
            .node
            .refuse(format!("`{PACK}` is reserved for chosen numbers of credits; give the pack another id"));
    }
    let id = identify(entry, PackId::parse);
    let table = entry.node.table(&KEYS)?;
    let name = table.required("name").and_then(|node| node.text());
    let credits = table.required("credits").and_then(|node| read_credits(&node, 1));
    let price = table.required("price").and_then(|node| read_price(&node, terms));
    let expiry = table.or("expires_after_days", None, |node| days(node, 1, EXPIRY_DAYS_MAX).map(Some));
    let standing = table.or("retired", Availability::Sold, read_standing);
    let owner = table.place.path.as_str();
    let stripe = read_stripe(&table, owner, terms);
    let earlier = table.or("earlier", Vec::new(), |node| read_earlier(node, owner, price.as_ref(), terms))?;
    let (standing, stripe) = (standing?, without(stripe?, &earlier));
    let pack = Pack {
        id: id?,
        name: name?.to_owned(),
        standing,
        credits: credits?,
        price: price?,
        earlier,
        expires_after_days: expiry?,
        stripe,
    };
    Some(if pack.is_sold() { pack } else { pack.withdrawn(standing) })
}

fn read_price(node: &Node<'_>, terms: &PriceTerms) -> Option<domain::amount::Money> {
    let price = terms.price(node)?;
    if price.minor == 0 {
        return node.refuse("a pack has a price; credits that are given away are a bonus");
    }
    Some(price)
}
