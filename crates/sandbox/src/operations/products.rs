//! `/v1/products`

use super::{SandboxAnswer, SandboxOperation, gone, operation};
use crate::{
    call::{Call, Params},
    failure::SandboxFailure,
    objects::Shown,
    objects::paging::page,
    state::SandboxState,
    store::product::SandboxProduct,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/products", create),
    operation("GET", "/v1/products", list),
    operation("GET", "/v1/products/{id}", retrieve),
    operation("POST", "/v1/products/{id}", update),
    operation("DELETE", "/v1/products/{id}", delete),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let id = call.params.owned("id").unwrap_or_else(|| state.store.ids.make("prod"));
    if state.store.products.find(&id).is_some_and(|product| !product.deleted) {
        let message = format!("Product already exists: {id}");
        return Err(SandboxFailure::invalid(message).code("resource_already_exists").param("id"));
    }
    let mut product = SandboxProduct {
        id: id.clone(),
        created: state.store.now,
        updated: state.store.now,
        active: true,
        name: call.params.required("name")?.to_owned(),
        ..SandboxProduct::default()
    };
    assign(&mut product, &call.params);
    state.store.products.put(product);
    let object = state.store.products.get(&id)?.render(&state.store);
    state.emit("product.created", object);
    if let Some(data) = call.params.nested("default_price_data") {
        let price = super::prices::make(state, &data, id.clone())?;
        state.store.products.get_mut(&id)?.default_price = Some(price);
    }
    retrieve(state, &Call { ids: vec![id], ..call.clone() })
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let active = call.params.boolean("active");
    let ids = call.params.texts("ids");
    page(&state.store, &state.store.products, call, "/v1/products", |product| {
        active.is_none_or(|active| product.active == active) && (ids.is_empty() || ids.contains(&product.id))
    })
}

fn existing<'a>(state: &'a SandboxState, id: &str) -> Result<&'a SandboxProduct, SandboxFailure> {
    state
        .store
        .products
        .find(id)
        .filter(|product| !product.deleted)
        .ok_or_else(|| SandboxFailure::no_such("product", id))
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(existing(state, call.id())?.render(&state.store))
}

fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = existing(state, call.id())?.render(&state.store);
    if let Some(price) = call.params.text("default_price") {
        state.store.prices.get(price).map_err(|failure| failure.status(400).param("default_price"))?;
    }
    let now = state.store.now;
    let product = state.store.products.get_mut(call.id())?;
    assign(product, &call.params);
    product.updated = now;
    let after = retrieve(state, call)?;
    state.emit_change("product.updated", &before, after.clone());
    Ok(after)
}

fn delete(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let object = existing(state, call.id())?.render(&state.store);
    if state.store.prices.iter().any(|price| price.product == call.id()) {
        let message = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(SandboxFailure::invalid(message));
    }
    state.store.products.get_mut(call.id())?.deleted = true;
    state.emit("product.deleted", object);
    Ok(gone(call.id(), "product"))
}

fn assign(product: &mut SandboxProduct, params: &Params) {
    if let Some(name) = params.owned("name") {
        product.name = name;
    }
    if let Some(active) = params.boolean("active") {
        product.active = active;
    }
    if params.has("images") {
        product.images = params.texts("images");
    }
    if params.has("marketing_features") {
        let features = params.list("marketing_features");
        product.marketing_features = features.iter().filter_map(|feature| feature.owned("name")).collect();
    }
    params.assign("description", &mut product.description);
    params.assign("default_price", &mut product.default_price);
    params.assign("unit_label", &mut product.unit_label);
    params.assign("statement_descriptor", &mut product.statement_descriptor);
    params.assign("url", &mut product.url);
    params.merge_metadata("metadata", &mut product.metadata);
}
