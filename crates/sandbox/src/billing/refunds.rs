//! How is a payment refunded?

use super::payments;
use crate::{
    calendar::DAY_S,
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        card::Behaviour,
        refund::{RefundStatus, SandboxRefund},
    },
};

/// How long it takes until a refund fails, in seconds.
const REFUND_FAILS_S: i64 = 2 * DAY_S;

/// Refunds a charge.
pub fn refund(
    state: &mut SandboxState,
    charge: &str,
    amount: Option<i64>,
    reason: Option<String>,
    metadata: ObjectMetadata,
) -> Result<String, SandboxFailure> {
    let row = state.store.charges.get(charge)?;
    let left = row.amount_captured.saturating_sub(row.amount_refunded);
    if left == 0 && row.amount_refunded > 0 {
        let message = format!("Charge {charge} has already been refunded.");
        return Err(SandboxFailure::invalid(message).code("charge_already_refunded"));
    }
    if row.disputed && withdrawn(state, charge) {
        let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
        return Err(SandboxFailure::invalid(message).code("charge_disputed"));
    }
    let amount = amount.unwrap_or(left);
    if amount <= 0 || amount > left {
        let message =
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(SandboxFailure::invalid(message).param("amount"));
    }
    let fails =
        state.store.payment_methods.get(&row.payment_method)?.card.behaviour == Behaviour::RefundsFail;
    let refund = SandboxRefund {
        id: String::new(),
        created: state.store.now,
        amount,
        charge: charge.to_owned(),
        payment_intent: row.payment_intent.clone(),
        currency: row.currency.clone(),
        reason,
        status: RefundStatus::Succeeded,
        metadata,
        fails_at: fails.then(|| state.store.now.saturating_add(REFUND_FAILS_S)),
    };
    let id = state.store.ids.make("re");
    state.store.refunds.put(SandboxRefund { id: id.clone(), ..refund });
    let row = state.store.charges.get_mut(charge)?;
    row.amount_refunded = row.amount_refunded.saturating_add(amount);
    emit_refund(state, "refund.created", &id)?;
    payments::emit_charge(state, "charge.refunded", charge)?;
    emit_refund(state, "refund.updated", &id)?;
    emit_refund(state, "charge.refund.updated", &id)?;
    Ok(id)
}

fn withdrawn(state: &SandboxState, charge: &str) -> bool {
    let mut disputes = state.store.disputes.iter().filter(|dispute| dispute.charge == charge);
    disputes.any(|dispute| dispute.funds_withdrawn && !dispute.funds_reinstated)
}

/// Fails a refund that had succeeded.
pub fn fail_refund(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let row = state.store.refunds.get_mut(id)?;
    if row.status == RefundStatus::Failed {
        return Err(SandboxFailure::invalid("This refund has failed already."));
    }
    row.status = RefundStatus::Failed;
    row.fails_at = None;
    let (charge, amount) = (row.charge.clone(), row.amount);
    let charge = state.store.charges.get_mut(&charge)?;
    charge.amount_refunded = charge.amount_refunded.saturating_sub(amount);
    emit_refund(state, "refund.updated", id)?;
    emit_refund(state, "charge.refund.updated", id)?;
    emit_refund(state, "refund.failed", id)
}

pub fn emit_refund(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.refunds.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}
