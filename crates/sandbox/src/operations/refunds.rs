//! `/v1/refunds`

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    billing::refunds, call::Call, failure::SandboxFailure, objects::Shown, objects::paging::page,
    state::SandboxState,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("POST", "/v1/refunds", create),
    operation("GET", "/v1/refunds", list),
    operation("GET", "/v1/refunds/{refund}", retrieve),
];

fn create(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let params = &call.params;
    let charge = match (params.text("charge"), params.text("payment_intent")) {
        (Some(charge), _) => {
            state.store.charges.get(charge).map_err(|failure| failure.status(400))?.id.clone()
        }
        (None, Some(intent)) => {
            let intent = state.store.payment_intents.get(intent).map_err(|failure| failure.status(400))?;
            let missing = || {
                let message = format!(
                    "This PaymentIntent ({}) does not have a successful charge to refund.",
                    intent.id
                );
                SandboxFailure::invalid(message)
            };
            intent.latest_charge.clone().filter(|_| intent.amount_received > 0).ok_or_else(missing)?
        }
        (None, None) => return Err(SandboxFailure::missing("payment_intent")),
    };
    let id = refunds::refund(
        state,
        &charge,
        params.integer("amount"),
        params.owned("reason"),
        params.metadata("metadata"),
    )?;
    Ok(state.store.refunds.get(&id)?.render(&state.store))
}

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (charge, intent) = (call.params.text("charge"), call.params.text("payment_intent"));
    page(&state.store, &state.store.refunds, call, "/v1/refunds", |refund| {
        charge.is_none_or(|charge| refund.charge == charge)
            && intent.is_none_or(|intent| refund.payment_intent == intent)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.refunds.get(call.id())?.render(&state.store))
}
