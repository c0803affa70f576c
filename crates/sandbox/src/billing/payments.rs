//! What does a bank answer to a payment? The test card decides, and every consequence emits its event.

use super::disputes;
use crate::{
    calendar::business_days_after,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        card::{AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED, Behaviour, DEBIT_FAILED, DECLINED, Decline},
        charge::{ChargeOutcome, SandboxCharge},
        payment_intent::{PaymentIntent, PaymentIntentStatus},
        payment_method::PaymentMethod,
    },
};

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Succeeded,
    Processing,
    RequiresAction,
    Declined(Decline),
}

/// Whether a person is there during an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A person who can authenticate the payment.
    Present,
    /// A person who has authenticated the payment.
    Authenticated,
    /// Off-session: a renewal, or a request that says so.
    Absent,
}

impl Decline {
    pub fn failure(self) -> SandboxFailure {
        SandboxFailure::card(self.code, self.decline_code, self.message)
    }
}

/// What the bank would answer. Changes nothing.
pub fn foresee(method: &PaymentMethod, presence: Presence) -> Attempt {
    let asked = presence == Presence::Authenticated;
    match method.card.behaviour {
        Behaviour::Succeeds | Behaviour::Disputes | Behaviour::Inquires | Behaviour::RefundsFail => {
            Attempt::Succeeded
        }
        Behaviour::Refuses(decline) => Attempt::Declined(decline),
        Behaviour::AttachesThenFails => Attempt::Declined(DECLINED),
        Behaviour::AuthenticatesOnce if asked || method.set_up => Attempt::Succeeded,
        Behaviour::AuthenticatesAlways if asked => Attempt::Succeeded,
        Behaviour::AuthenticatesOnce | Behaviour::AuthenticatesAlways => Attempt::RequiresAction,
        Behaviour::DebitSucceeds | Behaviour::DebitFails => Attempt::Processing,
    }
}

/// Attempts to charge the payment method of an intent.
pub fn attempt(
    state: &mut SandboxState,
    intent: &str,
    presence: Presence,
) -> Result<Attempt, SandboxFailure> {
    let method = state.store.payment_intents.get(intent)?.payment_method.clone();
    let method = method.ok_or_else(|| unpayable("payment_intent_unexpected_state"))?;
    let attempt = foresee(state.store.payment_methods.get(&method)?, presence);
    match attempt {
        Attempt::Succeeded => succeed(state, intent, &method, presence)?,
        Attempt::Processing => process(state, intent, &method)?,
        Attempt::RequiresAction => require_action(state, intent)?,
        Attempt::Declined(why) => decline(state, intent, &method, why)?,
    }
    Ok(attempt)
}

fn succeed(
    state: &mut SandboxState,
    intent: &str,
    method: &str,
    presence: Presence,
) -> Result<(), SandboxFailure> {
    let authenticated = presence == Presence::Authenticated;
    let charge = charge(state, intent, method, ChargeOutcome::Succeeded, authenticated)?;
    let keeps = state.store.payment_intents.get(intent)?;
    let keeps = keeps.setup_future_usage.is_some() || keeps.invoice.is_some();
    if authenticated && keeps {
        state.store.payment_methods.get_mut(method)?.set_up = true;
    }
    let row = state.store.payment_intents.get_mut(intent)?;
    row.latest_charge = Some(charge.clone());
    row.last_error = None;
    row.settles_at = None;
    let kind = if row.manual_capture {
        row.status = PaymentIntentStatus::RequiresCapture;
        row.amount_capturable = row.amount;
        "payment_intent.amount_capturable_updated"
    } else {
        row.status = PaymentIntentStatus::Succeeded;
        row.amount_received = row.amount;
        "payment_intent.succeeded"
    };
    emit_charge(state, "charge.succeeded", &charge)?;
    emit_intent(state, kind, intent)?;
    keep_method(state, intent, method)?;
    disputes::dispute_by_card(state, &charge)
}

/// Attaches a method to the customer if it is to be used again.
fn keep_method(state: &mut SandboxState, intent: &str, method: &str) -> Result<(), SandboxFailure> {
    let row = state.store.payment_intents.get(intent)?;
    let customer = row.customer.clone().filter(|_| row.setup_future_usage.is_some());
    let Some(customer) = customer else { return Ok(()) };
    if state.store.payment_methods.get(method)?.customer.is_none() {
        attach(state, method, &customer)?;
    }
    Ok(())
}

pub fn attach(state: &mut SandboxState, method: &str, customer: &str) -> Result<(), SandboxFailure> {
    state.store.payment_methods.get_mut(method)?.customer = Some(customer.to_owned());
    let object = state.store.payment_methods.get(method)?.render(&state.store);
    state.emit("payment_method.attached", object);
    Ok(())
}

fn process(state: &mut SandboxState, intent: &str, method: &str) -> Result<(), SandboxFailure> {
    let charge = charge(state, intent, method, ChargeOutcome::Pending, false)?;
    let takes = state.store.payment_methods.get(method)?.card.kind.business_days();
    let settles_at = business_days_after(state.store.now, state.debit_days.unwrap_or(takes));
    let row = state.store.payment_intents.get_mut(intent)?;
    row.latest_charge = Some(charge.clone());
    row.status = PaymentIntentStatus::Processing;
    row.settles_at = Some(settles_at);
    emit_charge(state, "charge.pending", &charge)?;
    emit_intent(state, "payment_intent.processing", intent)
}

/// Decides a bank debit that is processing.
pub fn settle_debit(state: &mut SandboxState, intent: &str) -> Result<Attempt, SandboxFailure> {
    let row = state.store.payment_intents.get(intent)?;
    let (method, charge) = (row.payment_method.clone(), row.latest_charge.clone());
    let (Some(method), Some(charge)) = (method, charge) else { return Ok(Attempt::Processing) };
    let fails = state.store.payment_methods.get(&method)?.card.behaviour == Behaviour::DebitFails;
    let outcome = if fails { ChargeOutcome::Failed(DEBIT_FAILED) } else { ChargeOutcome::Succeeded };
    let row = state.store.charges.get_mut(&charge)?;
    row.outcome = outcome;
    let row = state.store.payment_intents.get_mut(intent)?;
    row.settles_at = None;
    if fails {
        refuse(row, DEBIT_FAILED, &method);
        emit_charge(state, "charge.failed", &charge)?;
        emit_intent(state, "payment_intent.payment_failed", intent)?;
        return Ok(Attempt::Declined(DEBIT_FAILED));
    }
    row.status = PaymentIntentStatus::Succeeded;
    row.amount_received = row.amount;
    emit_charge(state, "charge.succeeded", &charge)?;
    emit_intent(state, "payment_intent.succeeded", intent)?;
    Ok(Attempt::Succeeded)
}

fn require_action(state: &mut SandboxState, intent: &str) -> Result<(), SandboxFailure> {
    state.store.payment_intents.get_mut(intent)?.status = PaymentIntentStatus::RequiresAction;
    emit_intent(state, "payment_intent.requires_action", intent)
}

/// Declines a payment that needs authentication while no person is there.
pub fn decline_unauthenticated(state: &mut SandboxState, intent: &str) -> Result<Decline, SandboxFailure> {
    let method = state.store.payment_intents.get(intent)?.payment_method.clone().unwrap_or_default();
    decline(state, intent, &method, AUTHENTICATION_REQUIRED)?;
    Ok(AUTHENTICATION_REQUIRED)
}

/// Fails a payment that the person did not authenticate.
pub fn fail_authentication(state: &mut SandboxState, intent: &str) -> Result<(), SandboxFailure> {
    let row = state.store.payment_intents.get_mut(intent)?;
    let method = row.payment_method.clone().unwrap_or_default();
    refuse(row, AUTHENTICATION_FAILED, &method);
    emit_intent(state, "payment_intent.payment_failed", intent)
}

fn decline(
    state: &mut SandboxState,
    intent: &str,
    method: &str,
    decline: Decline,
) -> Result<(), SandboxFailure> {
    let charge = charge(state, intent, method, ChargeOutcome::Failed(decline), false)?;
    let row = state.store.payment_intents.get_mut(intent)?;
    row.latest_charge = Some(charge.clone());
    refuse(row, decline, method);
    emit_charge(state, "charge.failed", &charge)?;
    emit_intent(state, "payment_intent.payment_failed", intent)
}

fn charge(
    state: &mut SandboxState,
    intent: &str,
    method: &str,
    outcome: ChargeOutcome,
    authenticated: bool,
) -> Result<String, SandboxFailure> {
    let id = state.store.ids.make("ch");
    let intent = state.store.payment_intents.get(intent)?;
    let captured = outcome == ChargeOutcome::Succeeded && !intent.manual_capture;
    let taken = captured || outcome == ChargeOutcome::Pending;
    let charge = SandboxCharge {
        id: id.clone(),
        created: state.store.now,
        amount: intent.amount,
        amount_captured: if taken { intent.amount } else { 0 },
        amount_refunded: 0,
        captured: taken,
        currency: intent.currency.clone(),
        customer: intent.customer.clone(),
        description: intent.description.clone(),
        disputed: false,
        outcome,
        payment_intent: intent.id.clone(),
        payment_method: method.to_owned(),
        authenticated,
        metadata: intent.metadata.clone(),
        invoice: intent.invoice.clone(),
    };
    state.store.charges.put(charge);
    Ok(id)
}

pub fn emit_charge(state: &mut SandboxState, kind: &str, charge: &str) -> Result<(), SandboxFailure> {
    let object = state.store.charges.get(charge)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

pub fn emit_intent(state: &mut SandboxState, kind: &str, intent: &str) -> Result<(), SandboxFailure> {
    let object = state.store.payment_intents.get(intent)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

fn refuse(intent: &mut PaymentIntent, decline: Decline, method: &str) {
    intent.status = PaymentIntentStatus::RequiresPaymentMethod;
    intent.last_error = Some(decline);
    intent.last_method = Some(method.to_owned());
    intent.payment_method = None;
    intent.settles_at = None;
}

fn unpayable(code: &str) -> SandboxFailure {
    let message = "You cannot confirm this PaymentIntent because it's missing a payment method. You can either \
                   update the PaymentIntent with a payment method and then confirm it again, or confirm it again \
                   directly with a payment method.";
    SandboxFailure::invalid(message).code(code)
}

pub fn no_method() -> SandboxFailure {
    let message = "This customer has no attached payment source or default payment method. Please consider adding a \
                   default payment method. For more information, visit https://docs.stripe.com/api.";
    SandboxFailure::invalid(message).code("resource_missing").status(400)
}
