//! What happens when a bank disputes a payment?

use crate::{
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        card::Behaviour,
        dispute::{DisputeStatus, SandboxDispute},
    },
};

/// Opens a dispute at once if the charged test card is one of those that are disputed.
pub fn dispute_by_card(state: &mut SandboxState, charge: &str) -> Result<(), SandboxFailure> {
    let row = state.store.charges.get(charge)?;
    let (captured, amount) = (row.captured, row.amount);
    let behaviour = state.store.payment_methods.get(&row.payment_method)?.card.behaviour;
    match behaviour {
        Behaviour::Disputes if captured => {
            open_dispute(state, charge, amount, "fraudulent", DisputeStatus::NeedsResponse).map(drop)
        }
        Behaviour::Inquires if captured => {
            open_dispute(state, charge, amount, "fraudulent", DisputeStatus::WarningNeedsResponse).map(drop)
        }
        Behaviour::Disputes
        | Behaviour::Inquires
        | Behaviour::Succeeds
        | Behaviour::Refuses(_)
        | Behaviour::AttachesThenFails
        | Behaviour::AuthenticatesOnce
        | Behaviour::AuthenticatesAlways
        | Behaviour::RefundsFail
        | Behaviour::DebitSucceeds
        | Behaviour::DebitFails => Ok(()),
    }
}

pub fn open_dispute(
    state: &mut SandboxState,
    charge: &str,
    amount: i64,
    reason: &str,
    status: DisputeStatus,
) -> Result<String, SandboxFailure> {
    let row = state.store.charges.get(charge)?;
    if row.disputed {
        return Err(SandboxFailure::invalid("This charge is disputed already.").param("charge"));
    }
    let left = row.amount_captured.saturating_sub(row.amount_refunded);
    if amount <= 0 || amount > left {
        return Err(
            SandboxFailure::invalid(format!("A dispute of this charge is of 1 to {left}.")).param("amount")
        );
    }
    // The network pays for a dispute that it prevents, so the funds may be withdrawn.
    let withdrawn = status == DisputeStatus::NeedsResponse
        || (status == DisputeStatus::Prevented && state.prevented_withdraws);
    let dispute = SandboxDispute {
        id: String::new(),
        created: state.store.now,
        amount,
        charge: charge.to_owned(),
        payment_intent: row.payment_intent.clone(),
        currency: row.currency.clone(),
        reason: reason.to_owned(),
        status,
        funds_withdrawn: withdrawn,
        funds_reinstated: false,
        has_evidence: false,
        metadata: ObjectMetadata::new(),
    };
    let id = state.store.ids.make("du");
    state.store.disputes.put(SandboxDispute { id: id.clone(), ..dispute });
    state.store.charges.get_mut(charge)?.disputed = true;
    emit_dispute(state, "charge.dispute.created", &id)?;
    if withdrawn {
        emit_dispute(state, "charge.dispute.funds_withdrawn", &id)?;
    }
    if status == DisputeStatus::Prevented {
        emit_dispute(state, "charge.dispute.closed", &id)?;
    }
    Ok(id)
}

/// Closes a dispute. Withdrawn funds return if it is won. An inquiry has withdrawn none.
pub fn close_dispute(
    state: &mut SandboxState,
    id: &str,
    status: DisputeStatus,
) -> Result<(), SandboxFailure> {
    let withdraws = state.prevented_withdraws;
    let row = state.store.disputes.get_mut(id)?;
    if !row.status.is_open() {
        return Err(SandboxFailure::invalid("This dispute is already closed.").code("dispute_closed"));
    }
    let inquiry = row.status == DisputeStatus::WarningNeedsResponse;
    row.status = if inquiry && status == DisputeStatus::Lost { DisputeStatus::WarningClosed } else { status };
    row.funds_reinstated = row.funds_withdrawn && status == DisputeStatus::Won;
    let prevented = status == DisputeStatus::Prevented && !row.funds_withdrawn && withdraws;
    row.funds_withdrawn = row.funds_withdrawn || prevented;
    let reinstated = row.funds_reinstated;
    if prevented {
        emit_dispute(state, "charge.dispute.funds_withdrawn", id)?;
    }
    emit_dispute(state, "charge.dispute.closed", id)?;
    if reinstated {
        emit_dispute(state, "charge.dispute.funds_reinstated", id)?;
    }
    Ok(())
}

pub fn emit_dispute(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.disputes.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}
