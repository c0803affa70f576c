//! How does a person buy without a shop? With a checkout session that the overview makes.

use std::sync::Arc;

use axum::{extract::State as Shares, response::Response};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{
    super::{
        call::{Call, Params},
        failure::SandboxFailure,
        operations,
        shared::SharedSandbox,
        state::SandboxState,
        store::price::SandboxPrice,
    },
    filled, lead_to,
    offers::offer,
    wrong,
};

/// The form with everything on sale; empty if nothing is.
pub(super) fn form(state: &SandboxState) -> Markup {
    let prices: Vec<&SandboxPrice> = state.store.prices.iter().filter(|price| price.active).collect();
    html! {
        @if !prices.is_empty() {
            h2 { "Buy something" }
            form method="post" action="/buy" {
                label for="price" { "What" }
                select id="price" name="price" {
                    @for price in prices { option value=(price.id) { (offer(state, price)) } }
                }
                label for="for" {
                    "For whom (your own id of the buyer, such as an account; the session's "
                    code { "client_reference_id" } " and " code { "metadata[account_id]" } ")"
                }
                input id="for" name="for" required;
                button { "To the checkout page" }
            }
        }
    }
}

pub(super) async fn buy(Shares(shared): Shares<Arc<SharedSandbox>>, body: String) -> Response {
    let wanted = filled(&body);
    match shared.with(|state| session(state, &wanted)) {
        Ok(url) => lead_to(&url),
        Err(failure) => wrong(&failure),
    }
}

/// Makes the session that a shop would make, with the same operation.
fn session(state: &mut SandboxState, wanted: &Params) -> Result<String, SandboxFailure> {
    let price = state.store.prices.get(wanted.required("price")?)?;
    let mode = if price.recurring.is_some() { "subscription" } else { "payment" };
    let buyer = wanted.required("for")?;
    let mut metadata = price.metadata.clone();
    metadata.insert("account_id".to_owned(), buyer.to_owned());
    let described = json!({
        "mode": mode,
        "line_items": [{ "price": price.id, "quantity": 1 }],
        "metadata": metadata,
        "client_reference_id": buyer,
        "success_url": state.store.origin,
        "cancel_url": state.store.origin,
    });
    let (operation, ids) = operations::find("POST", "/v1/checkout/sessions")
        .ok_or_else(|| SandboxFailure::invalid("There is no checkout."))?;
    let params = Params(described.as_object().cloned().unwrap_or_default());
    let session = (operation.run)(state, &Call { ids, params })?;
    let url = session.get("url").and_then(Value::as_str);
    url.map(str::to_owned).ok_or_else(|| SandboxFailure::invalid("The session has no page."))
}
