//! Which object has an id, whatever its kind?

use serde_json::Value;

use super::Shown;
use crate::store::Store;

/// Any object, by the prefix of its id.
pub fn render_any(store: &Store, id: &str) -> Option<Value> {
    let prefix = id.split('_').next()?;
    let lived = match prefix {
        "cus" => store.customers.find(id).map(|object| object.render(store)),
        "pm" => store.payment_methods.find(id).map(|object| object.render(store)),
        "prod" => store.products.find(id).map(|object| object.render(store)),
        "price" => store.prices.find(id).map(|object| object.render(store)),
        "pi" => store.payment_intents.find(id).map(|object| object.render(store)),
        "seti" => store.setup_intents.find(id).map(|object| object.render(store)),
        "ch" => store.charges.find(id).map(|object| object.render(store)),
        "re" => store.refunds.find(id).map(|object| object.render(store)),
        "du" => store.disputes.find(id).map(|object| object.render(store)),
        "sub" if id.starts_with("sub_sched_") => store.schedules.find(id).map(|object| object.render(store)),
        "sub" => store.subscriptions.find(id).map(|object| object.render(store)),
        "in" => store.invoices.find(id).map(|object| object.render(store)),
        "cn" => store.credit_notes.find(id).map(|object| object.render(store)),
        "di" => store.discounts.find(id).map(|object| object.render(store)),
        "promo" => store.promotion_codes.find(id).map(|object| object.render(store)),
        "cs" => store.sessions.find(id).map(|object| object.render(store)),
        "bpc" => store.configurations.find(id).map(|object| object.render(store)),
        // Products and coupons may have ids that the caller chose.
        _ => {
            let product = store.products.find(id).map(|object| object.render(store));
            product.or_else(|| store.coupons.find(id).map(|object| object.render(store)))
        }
    };
    lived.or_else(|| store.recorded.find(id).cloned())
}
