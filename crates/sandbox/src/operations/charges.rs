//! `/v1/charges`

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{call::Call, objects::Shown, objects::paging::page, state::SandboxState};

pub const OPERATIONS: &[SandboxOperation] =
    &[operation("GET", "/v1/charges", list), operation("GET", "/v1/charges/{charge}", retrieve)];

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (customer, intent) = (call.params.text("customer"), call.params.text("payment_intent"));
    page(&state.store, &state.store.charges, call, "/v1/charges", |charge| {
        (customer.is_none() || charge.customer.as_deref() == customer)
            && intent.is_none_or(|intent| charge.payment_intent == intent)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.charges.get(call.id())?.render(&state.store))
}
