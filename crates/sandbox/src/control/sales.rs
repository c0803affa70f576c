//! Which sales and discounts can be made without the newest API? Payment links, and discounts of customers.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::{
        billing::discounting, call::ObjectMetadata, objects::Shown, operations::linking,
        shared::SharedSandbox, store::coupon::Redeemed,
    },
    answer,
    body::ControlBody,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDiscount {
    coupon: String,
}

/// Applies a coupon to a customer, which only older API versions can do. The newest can only remove it.
pub(super) async fn discount_customer(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    ControlBody(new): ControlBody<NewDiscount>,
) -> Response {
    let discounted = shared.with(|state| {
        let customer = state.store.customer(&id)?.id.clone();
        let redeemed = Redeemed { coupon: new.coupon.clone(), promotion_code: None };
        let replaced = state.store.customers.get(&customer)?.discount.clone();
        let discount = discounting::redeem(state, &redeemed, &customer, None, None, None)?;
        if let Some(replaced) = replaced {
            discounting::end_discount(state, &replaced)?;
        }
        state.change_customer(&customer, |row| row.discount = Some(discount))?;
        Ok(state.store.customers.get(&customer)?.render(&state.store))
    });
    answer(&shared, discounted)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPaymentLink {
    /// The ids of prices, with a quantity each.
    items: Vec<(String, i64)>,
    #[serde(default)]
    metadata: ObjectMetadata,
    #[serde(default)]
    allow_promotion_codes: bool,
}

/// Makes a payment link. Everyone who opens it gets a checkout session.
pub(super) async fn make_link(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(new): ControlBody<NewPaymentLink>,
) -> Response {
    let made = shared.with(|state| {
        let id = linking::make_link(state, &new.items, new.metadata.clone(), new.allow_promotion_codes)?;
        Ok(json!({
            "id": id,
            "object": "payment_link",
            "url": format!("{}/pay/{id}", state.store.origin),
        }))
    });
    answer(&shared, made)
}
