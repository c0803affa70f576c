//! What is sold before anything is set up? Products and prices with ids that the caller chooses.

use std::collections::BTreeMap;

use super::{
    calendar::{Recurring, SandboxInterval},
    objects::Shown,
    operations::billing_portal,
    state::SandboxState,
    store::{price::SandboxPrice, product::SandboxProduct},
};

/// A price with its product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedOffer {
    pub product_id: String,
    pub product_name: String,
    pub price_id: String,
    /// In minor units.
    pub unit_amount: i64,
    pub currency: String,
    /// `day`, `week`, `month` or `year`; `None` for a single sale.
    pub interval: Option<String>,
    pub lookup_key: Option<String>,
    /// The price's metadata, which is copied to what is bought on the overview.
    pub metadata: BTreeMap<String, String>,
}

/// What customers can do on the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSettings {
    /// The products that a subscription may change to, with their prices.
    pub products: Vec<(String, Vec<String>)>,
    /// `always_invoice`, `create_prorations` or `none`.
    pub proration: String,
    pub cancels_at_period_end: bool,
    /// Whether a change to less takes effect at the end of the period.
    pub less_at_period_end: bool,
}

/// Sets the default configuration of the portal, and returns its id.
pub(super) fn put_portal(state: &mut SandboxState, portal: &PortalSettings) -> String {
    let id = billing_portal::default_configuration(state);
    if let Ok(configuration) = state.store.configurations.get_mut(&id) {
        configuration.products.clone_from(&portal.products);
        configuration.proration_behavior.clone_from(&portal.proration);
        configuration.cancel_at_period_end = portal.cancels_at_period_end;
        configuration.ends_trial = false;
        let waiting: &[&str] =
            if portal.less_at_period_end { &["decreasing_item_amount", "shortening_interval"] } else { &[] };
        configuration.at_period_end = waiting.iter().map(|kind| (*kind).to_owned()).collect();
    }
    id
}

/// Adds an offer, unless there is a price with its id.
pub(super) fn put(state: &mut SandboxState, offer: &SeedOffer) {
    if state.store.prices.find(&offer.price_id).is_some() {
        return;
    }
    if state.store.products.find(&offer.product_id).is_none() {
        let product = SandboxProduct {
            id: offer.product_id.clone(),
            created: state.store.now,
            updated: state.store.now,
            active: true,
            name: offer.product_name.clone(),
            ..SandboxProduct::default()
        };
        let object = product.render(&state.store);
        state.store.products.put(product);
        state.emit("product.created", object);
    }
    let interval = offer.interval.as_deref().and_then(SandboxInterval::parse);
    let price = SandboxPrice {
        id: offer.price_id.clone(),
        created: state.store.now,
        active: true,
        product: offer.product_id.clone(),
        currency: offer.currency.to_lowercase(),
        unit_amount: offer.unit_amount,
        recurring: interval.map(|interval| Recurring { interval, count: 1 }),
        lookup_key: offer.lookup_key.clone(),
        nickname: None,
        tax_behavior: "unspecified".to_owned(),
        metadata: offer.metadata.clone(),
    };
    let object = price.render(&state.store);
    state.store.prices.put(price);
    state.emit("price.created", object);
}
