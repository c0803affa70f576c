//! What do customers and their banks do without a page?

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use serde::Deserialize;

use super::{answer, body::ControlBody};
use crate::{
    billing::{
        checkout::{self, AfterPayment, Payer},
        disputes, passing,
        payments::Presence,
        refunds,
    },
    calendar::year,
    failure::SandboxFailure,
    objects::Shown,
    operations::{self, linking},
    shared::SharedSandbox,
    store::{card::TestCard, dispute::DisputeStatus},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDispute {
    charge: Option<String>,
    payment_intent: Option<String>,
    amount: Option<i64>,
    reason: Option<String>,
    /// `needs_response`, `warning_needs_response` (an inquiry) or `prevented`.
    status: Option<String>,
}

pub(super) async fn dispute(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(new): ControlBody<NewDispute>,
) -> Response {
    let opened = shared.with(|state| {
        let intent =
            new.payment_intent.as_deref().map(|id| state.store.payment_intents.get(id)).transpose()?;
        let of_intent = intent.and_then(|intent| intent.latest_charge.clone());
        let charge = new.charge.clone().or(of_intent).ok_or_else(|| SandboxFailure::missing("charge"))?;
        let row = state.store.charges.get(&charge)?;
        // Refunded money cannot be disputed.
        let left = row.amount_captured.saturating_sub(row.amount_refunded);
        let status = new.status.as_deref().map_or(Some(DisputeStatus::NeedsResponse), DisputeStatus::parse);
        let status =
            status.ok_or_else(|| SandboxFailure::invalid("There is no such status.").param("status"))?;
        let reason = new.reason.as_deref().unwrap_or("fraudulent");
        let id = disputes::open_dispute(state, &charge, new.amount.unwrap_or(left), reason, status)?;
        Ok(state.store.disputes.get(&id)?.render(&state.store))
    });
    answer(&shared, opened)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonsDecision {
    status: String,
}

pub(super) async fn decide_dispute(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    ControlBody(decision): ControlBody<PersonsDecision>,
) -> Response {
    let closed = shared.with(|state| {
        let status = DisputeStatus::parse(&decision.status).filter(|status| !status.is_open());
        let status = status.ok_or_else(|| {
            SandboxFailure::invalid("It is `won`, `lost`, `warning_closed` or `prevented`.").param("status")
        })?;
        disputes::close_dispute(state, &id, status)?;
        Ok(state.store.disputes.get(&id)?.render(&state.store))
    });
    answer(&shared, closed)
}

pub(super) async fn fail_refund(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
) -> Response {
    let failed = shared.with(|state| {
        refunds::fail_refund(state, &id)?;
        Ok(state.store.refunds.get(&id)?.render(&state.store))
    });
    answer(&shared, failed)
}

pub(super) async fn settle(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let settled = shared.with(|state| {
        if state.store.payment_intents.get(&id)?.settles_at.is_none() {
            return Err(SandboxFailure::invalid("No bank debit of this payment is on its way."));
        }
        passing::settle_intent(state, &id)?;
        Ok(state.store.payment_intents.get(&id)?.render(&state.store))
    });
    answer(&shared, settled)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authentication {
    succeeds: bool,
}

pub(super) async fn authenticate(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    ControlBody(wanted): ControlBody<Authentication>,
) -> Response {
    let done = shared.with(|state| {
        operations::authenticate(state, &id, wanted.succeeds)?;
        Ok(state.store.payment_intents.get(&id)?.render(&state.store))
    });
    answer(&shared, done)
}

/// What a person would enter on the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentForm {
    card: String,
    email: Option<String>,
    name: Option<String>,
    /// Whether the person authenticates the payment.
    #[serde(default)]
    authenticated: bool,
    /// A promotion code, if the session accepts them.
    promotion_code: Option<String>,
    /// Other quantities, in the order of the lines, if they may be changed.
    #[serde(default)]
    quantities: Vec<i64>,
}

pub(super) async fn pay(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    ControlBody(payment): ControlBody<PaymentForm>,
) -> Response {
    let paid = shared.with(|state| {
        let card = TestCard::by_number(&payment.card).or_else(|| TestCard::by_token(&payment.card));
        let card = card.ok_or_else(|| {
            SandboxFailure::card("incorrect_number", None, "Your card number is incorrect.")
        })?;
        if let Some(code) = &payment.promotion_code {
            linking::enter_code(state, &id, code)?;
        }
        for (place, quantity) in payment.quantities.iter().enumerate() {
            linking::adjust_quantity(state, &id, place, *quantity)?;
        }
        let payer = Payer {
            card,
            exp_year: year(state.store.now).saturating_add(4),
            exp_month: 12,
            email: payment.email.clone(),
            name: payment.name.clone(),
            presence: if payment.authenticated { Presence::Authenticated } else { Presence::Present },
        };
        match checkout::pay_session(state, &id, &payer)? {
            AfterPayment::Complete => Ok(state.store.sessions.get(&id)?.render(&state.store)),
            AfterPayment::Declined(decline) => Err(decline.failure()),
            AfterPayment::Authenticate => {
                let message = "The bank wants to ask the person: send it again with `authenticated`.";
                Err(SandboxFailure::card("authentication_required", None, message))
            }
        }
    });
    answer(&shared, paid)
}
