//! What happens when a person opens a payment link, enters a promotion code, or changes a quantity?

use crate::{
    call::{Call, ObjectMetadata, Params},
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{checkout::CheckoutStatus, payment_link::PaymentLink},
};

use serde_json::{Value, json};

use super::{by_code, check_items, open_checkout};

pub fn make_link(
    state: &mut SandboxState,
    items: &[(String, i64)],
    metadata: ObjectMetadata,
    allow_promotion_codes: bool,
) -> Result<String, SandboxFailure> {
    let id = state.store.ids.make("plink");
    let items = items.to_vec();
    let link =
        PaymentLink { id: id.clone(), created: state.store.now, items, metadata, allow_promotion_codes };
    // A link whose sessions would be refused is refused when it is made.
    check_items(state, &params_of(state, &link))?;
    let object = link.render(&state.store);
    state.store.links.put(link);
    state.emit("payment_link.created", object);
    Ok(id)
}

/// Opens a session for a payment link, with the link's metadata.
/// It identifies an account only by `reference`, from the link's URL.
pub fn open_link(
    state: &mut SandboxState,
    id: &str,
    reference: Option<&str>,
) -> Result<String, SandboxFailure> {
    let mut params = params_of(state, state.store.links.get(id)?);
    if let Some(reference) = reference {
        params.0.insert("client_reference_id".to_owned(), json!(reference));
    }
    let session = open_checkout(state, &Call { ids: Vec::new(), params })?;
    state.store.sessions.get_mut(&session)?.payment_link = Some(id.to_owned());
    Ok(session)
}

/// The parameters for a link's sessions.
fn params_of(state: &SandboxState, link: &PaymentLink) -> Params {
    let recurring =
        |price: &String| state.store.prices.find(price).is_some_and(|price| price.recurring.is_some());
    let mode = if link.items.iter().any(|(price, _)| recurring(price)) { "subscription" } else { "payment" };
    let lines: Vec<Value> =
        link.items.iter().map(|(price, quantity)| json!({ "price": price, "quantity": quantity })).collect();
    let asked = json!({
        "mode": mode,
        "line_items": lines,
        "metadata": link.metadata,
        "success_url": format!("{}/", state.store.origin),
        "allow_promotion_codes": link.allow_promotion_codes,
    });
    Params(asked.as_object().cloned().unwrap_or_default())
}

/// Applies a promotion code that a person enters.
pub fn enter_code(state: &mut SandboxState, session: &str, code: &str) -> Result<(), SandboxFailure> {
    let takes = state.store.sessions.get(session)?.allow_promotion_codes == Some(true);
    if !takes {
        return Err(SandboxFailure::invalid("This page takes no promotion codes."));
    }
    let redeemed = by_code(state, code)?;
    state.store.sessions.get_mut(session)?.discounts = vec![redeemed];
    Ok(())
}

/// Changes the quantity of an item, if that is allowed.
pub fn adjust_quantity(
    state: &mut SandboxState,
    session: &str,
    place: usize,
    quantity: i64,
) -> Result<(), SandboxFailure> {
    let row = state.store.sessions.get_mut(session)?;
    let open = row.status == CheckoutStatus::Open;
    let item = row.items.get_mut(place).filter(|_| open);
    let bounds = item.as_ref().and_then(|item| item.adjustable);
    match item {
        Some(item) if item.quantity == quantity => Ok(()),
        Some(item) if bounds.is_some_and(|(least, most)| (least..=most).contains(&quantity)) => {
            item.quantity = quantity;
            Ok(())
        }
        Some(_) | None => Err(SandboxFailure::invalid("This quantity cannot be chosen here.")),
    }
}
