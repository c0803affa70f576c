//! `/v1/disputes`: opened by test cards and by `/_sandbox/disputes`.

use super::{SandboxAnswer, SandboxOperation, operation};
use crate::{
    billing::disputes, call::Call, objects::Shown, objects::paging::page, state::SandboxState,
    store::dispute::DisputeStatus,
};

pub const OPERATIONS: &[SandboxOperation] = &[
    operation("GET", "/v1/disputes", list),
    operation("GET", "/v1/disputes/{dispute}", retrieve),
    operation("POST", "/v1/disputes/{dispute}", update),
    operation("POST", "/v1/disputes/{dispute}/close", close),
];

fn list(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let (charge, intent) = (call.params.text("charge"), call.params.text("payment_intent"));
    page(&state.store, &state.store.disputes, call, "/v1/disputes", |dispute| {
        charge.is_none_or(|charge| dispute.charge == charge)
            && intent.is_none_or(|intent| dispute.payment_intent == intent)
    })
}

fn retrieve(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    Ok(state.store.disputes.get(call.id())?.render(&state.store))
}

/// Stripe's test texts decide a dispute at once: `winning_evidence`, `losing_evidence`.
fn update(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    let before = state.store.disputes.get(call.id())?.render(&state.store);
    let row = state.store.disputes.get_mut(call.id())?;
    row.has_evidence = row.has_evidence || call.params.has("evidence");
    call.params.merge_metadata("metadata", &mut row.metadata);
    if row.status == DisputeStatus::NeedsResponse && call.params.has("evidence") {
        row.status = DisputeStatus::UnderReview;
    }
    let after = retrieve(state, call)?;
    state.emit_change("charge.dispute.updated", &before, after);
    match call.params.text("evidence.uncategorized_text") {
        Some("winning_evidence") => disputes::close_dispute(state, call.id(), DisputeStatus::Won)?,
        Some("losing_evidence") => disputes::close_dispute(state, call.id(), DisputeStatus::Lost)?,
        Some(_) | None => {}
    }
    retrieve(state, call)
}

/// Closes a dispute, which accepts it: it is lost.
fn close(state: &mut SandboxState, call: &Call) -> SandboxAnswer {
    state.store.disputes.get(call.id())?;
    disputes::close_dispute(state, call.id(), DisputeStatus::Lost)?;
    retrieve(state, call)
}
