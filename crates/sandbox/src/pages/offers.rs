//! How are offers and their prices described to a person?

use crate::{
    money,
    state::SandboxState,
    store::{price::SandboxPrice, subscription::SandboxSubscription},
};

/// The name of a plan or a pack, with its price.
pub fn offer(state: &SandboxState, price: &SandboxPrice) -> String {
    format!("{}, {}", product_name(state, price), cost(price))
}

pub fn product_name<'a>(state: &'a SandboxState, price: &SandboxPrice) -> &'a str {
    state.store.products.find(&price.product).map_or("", |product| product.name.as_str())
}

/// The price of one unit, with its interval.
pub fn cost(price: &SandboxPrice) -> String {
    let every = price.recurring.map_or_else(String::new, |every| format!(" / {}", every.interval.as_str()));
    format!("{}{every}", money::shown(price.unit_amount, &price.currency))
}

/// The names of a subscription's items.
pub fn sold(state: &SandboxState, row: &SandboxSubscription) -> String {
    let items = row.items.iter().map(|item| {
        let price = state.store.prices.find(&item.price);
        let name = price.map_or("", |price| product_name(state, price));
        let cost = price.map_or_else(String::new, |price| money::shown(price.unit_amount, &price.currency));
        format!("{} × {name} ({cost})", item.quantity)
    });
    items.collect::<Vec<String>>().join(", ")
}
