//! `/v1/prices`

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    calendar::{Recurring, SandboxInterval},
    call::{Call, Params},
    failure::SandboxFailure,
    money,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::{price::SandboxPrice, product::SandboxProduct},
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/prices", create),
    operation("GET", "/v1/prices", list),
    operation("GET", "/v1/prices/{price}", retrieve),
    operation("POST", "/v1/prices/{price}", update),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let product = match (call.params.text("product"), call.params.nested("product_data")) {
        (Some(product), None) => {
            let missing = || SandboxFailure::no_such("product", product).status(400).param("product");
            state
                .store
                .products
                .find(product)
                .filter(|product| !product.deleted)
                .ok_or_else(missing)?
                .id
                .clone()
        }
        (None, Some(data)) => product_of(state, &data)?,
        (None, None) => return Err(SandboxFailure::missing("product")),
        (Some(_), Some(_)) => {
            return Err(SandboxFailure::invalid(
                "You may only specify one of these parameters: product, product_data.",
            ));
        }
    };
    let id = make(state, &call.params, product)?;
    Ok(state.store.prices.get(&id)?.render(&state.store))
}

/// Makes a product for a price that describes its own.
pub fn product_of(state: &mut SandboxState, data: &Params) -> Result<String, SandboxFailure> {
    let id = data.owned("id").unwrap_or_else(|| state.store.ids.make("prod"));
    let product = SandboxProduct {
        id: id.clone(),
        created: state.store.now,
        updated: state.store.now,
        active: true,
        name: data.required("name")?.to_owned(),
        metadata: data.metadata("metadata"),
        ..SandboxProduct::default()
    };
    state.store.products.put(product);
    let object = state.store.products.get(&id)?.render(&state.store);
    state.emit("product.created", object);
    Ok(id)
}

/// Makes a price of `product` from `params`.
pub fn make(state: &mut SandboxState, params: &Params, product: String) -> Result<String, SandboxFailure> {
    let decimal = params.text("unit_amount_decimal").map(|text| {
        let whole = text.trim_end_matches('0').trim_end_matches('.');
        let whole = if text.contains('.') { whole } else { text };
        whole.parse::<i64>().map_err(|_| {
            SandboxFailure::invalid("The sandbox has prices in whole minor units only.")
                .param("unit_amount_decimal")
        })
    });
    let unit_amount = match (params.integer("unit_amount"), decimal.transpose()?) {
        (Some(amount), _) | (None, Some(amount)) => amount,
        (None, None) => return Err(SandboxFailure::missing("unit_amount")),
    };
    if unit_amount < 0 {
        return Err(SandboxFailure::invalid("Invalid non-negative integer").param("unit_amount"));
    }
    let currency = params.required("currency")?.to_lowercase();
    if let Some(why) = money::refusal(unit_amount, &currency) {
        return Err(SandboxFailure::invalid(why).param("unit_amount"));
    }
    let id = state.store.ids.make("price");
    let lookup_key = params.owned("lookup_key");
    if let Some(key) = &lookup_key {
        take_key(state, key, params.boolean("transfer_lookup_key") == Some(true))?;
    }
    let price = SandboxPrice {
        id: id.clone(),
        created: state.store.now,
        active: params.boolean("active").unwrap_or(true),
        product,
        currency,
        unit_amount,
        recurring: recurring(params)?,
        lookup_key,
        nickname: params.owned("nickname"),
        tax_behavior: params.owned("tax_behavior").unwrap_or_else(|| "unspecified".to_owned()),
        metadata: params.metadata("metadata"),
    };
    state.store.prices.put(price);
    let object = state.store.prices.get(&id)?.render(&state.store);
    state.emit("price.created", object);
    Ok(id)
}

fn recurring(params: &Params) -> Result<Option<Recurring>, SandboxFailure> {
    let Some(interval) = params.text("recurring.interval") else { return Ok(None) };
    if params.text("recurring.usage_type") == Some("metered") {
        return Err(
            SandboxFailure::invalid("The sandbox has licensed prices only.").param("recurring[usage_type]")
        );
    }
    let interval = SandboxInterval::parse(interval)
        .ok_or_else(|| SandboxFailure::invalid("Invalid interval").param("recurring[interval]"))?;
    let count = params.integer("recurring.interval_count").unwrap_or(1);
    let count = u32::try_from(count).ok().filter(|count| (1..=36).contains(count));
    let count = count.ok_or_else(|| {
        SandboxFailure::invalid("Invalid interval count").param("recurring[interval_count]")
    })?;
    Ok(Some(Recurring { interval, count }))
}

/// Takes a lookup key from the price that has it. Without `transfer`, a key that is in use is refused.
fn take_key(state: &mut SandboxState, key: &str, transfer: bool) -> Result<(), SandboxFailure> {
    let owner = state.store.prices.iter().find(|price| price.lookup_key.as_deref() == Some(key));
    let Some(owner) = owner.map(|price| price.id.clone()) else { return Ok(()) };
    if !transfer {
        let message = format!(
            "A price ({owner}) is already using that lookup key. Use `transfer_lookup_key=true` to transfer it."
        );
        return Err(SandboxFailure::invalid(message).param("lookup_key"));
    }
    let before = state.store.prices.get(&owner)?.render(&state.store);
    state.store.prices.get_mut(&owner)?.lookup_key = None;
    let after = state.store.prices.get(&owner)?.render(&state.store);
    state.emit_change("price.updated", &before, after);
    Ok(())
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let keys = call.params.texts("lookup_keys");
    let (active, kind) = (call.params.boolean("active"), call.params.text("type"));
    let (product, currency) = (call.params.text("product"), call.params.text("currency"));
    let interval = call.params.text("recurring.interval");
    page(&state.store, &state.store.prices, call, "/v1/prices", |price| {
        (keys.is_empty() || price.lookup_key.as_ref().is_some_and(|key| keys.contains(key)))
            && active.is_none_or(|active| price.active == active)
            && product.is_none_or(|product| price.product == product)
            && currency.is_none_or(|currency| price.currency == currency)
            && kind.is_none_or(|kind| (kind == "recurring") == price.recurring.is_some())
            && interval.is_none_or(|interval| {
                price.recurring.is_some_and(|recurring| recurring.interval.as_str() == interval)
            })
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.prices.get(call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = state.store.prices.get(call.id())?.render(&state.store);
    let params = &call.params;
    if let Some(key) = params.text("lookup_key") {
        let own = state.store.prices.get(call.id())?.lookup_key.as_deref() == Some(key);
        if !own {
            take_key(state, key, params.boolean("transfer_lookup_key") == Some(true))?;
        }
    }
    if params.boolean("active") == Some(false) {
        check_default(state, call.id())?;
    }
    let price = state.store.prices.get_mut(call.id())?;
    price.active = params.boolean("active").unwrap_or(price.active);
    params.assign("lookup_key", &mut price.lookup_key);
    params.assign("nickname", &mut price.nickname);
    params.merge_metadata("metadata", &mut price.metadata);
    let after = retrieve(state, call)?;
    state.emit_change("price.updated", &before, after.clone());
    Ok(after)
}

/// Refuses to archive the default price of a product.
fn check_default(state: &SandboxState, id: &str) -> Result<(), SandboxFailure> {
    if state.store.products.iter().any(|product| product.default_price.as_deref() == Some(id)) {
        let message = "This price cannot be archived because it is the default price of its product.";
        return Err(SandboxFailure::invalid(message).param("active"));
    }
    Ok(())
}
