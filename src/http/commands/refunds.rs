//! The route that gives spent credits back.

use axum::{body::Body, extract::State, http::Response};

use crate::{
    domain::{command::Command, names::AccountId, refusal::Refusal},
    http::{
        AppState,
        failure::Failure,
        request::{AccountOf, Amount, Deducts, IdempotencyKey, Json},
        schema::Id,
    },
};

use super::{
    documents::Refunded,
    inputs::Refund,
    order::{Done, Kind, Order},
};

/// Refund a deduction or a generation
///
/// Wholly or in part, to the grants that paid. All refunds of one deduction together never exceed it.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/refunds", operation_id = "refund", tag = "Spending",
    params(("account" = Id, Path)), request_body = Refund,
    responses((status = 201, description = "Refunded.", body = Refunded))
)]
pub async fn refund(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyKey,
    Json(refund): Json<Refund>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = command(&state, &to.account, refund).await?;
    let order = Order { kind: Kind::Refund, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// The command, with the deduction as its event says. It never changes, so it can be read before.
///
/// # Errors
/// When there is no such deduction, or none is named.
pub async fn command(state: &AppState, account: &AccountId, refund: Refund) -> Result<Command, Failure> {
    let found = match (&refund.generation_id, &refund.deduction_id) {
        (Some(generation), None) => state.ledger.find_spent_on(account, generation).await?,
        (None, Some(deduction)) => state.ledger.find_deduction(account, deduction).await?,
        (None, None) => return Err(Failure::body("$", "`generation_id` or `deduction_id` is needed")),
        (Some(_), Some(_)) => {
            return Err(Failure::body("$.deduction_id", "it cannot be sent together with `generation_id`"));
        }
    };
    let Some(deduction) = found else {
        let exists = state.ledger.view(account).await?.account.opened().is_some();
        return Err(if exists { Failure::DeductionNotFound } else { Refusal::AccountNotFound.into() });
    };
    let amount = refund.amount.map(Amount::credits);
    Ok(Command::RefundDeduction { deduction, amount, reason: refund.reason.into() })
}
