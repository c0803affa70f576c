//! The route that gives spent credits back.

use axum::{body::Body, extract::State, http::Response};

use crate::{
    domain::{
        command::{Command, Spent},
        ids::AccountId,
        refusal::Refusal,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{DeductionNotFound, RefundExceedsDeduction, TargetError},
        request::{AccountOf, Amount, Deducts, IdempotencyHeader, Json},
        schema::Id,
    },
};

use super::{
    documents::RefundedResponse,
    inputs::RefundRequest,
    order::{CommandCall, CommandKind, CommandReply},
};

/// The most deductions that one refund gives back.
const DEDUCTIONS_MAX: u16 = 100;

/// Refund a deduction or a generation
///
/// Wholly or in part, to the grants that paid. All refunds of one deduction together never exceed it. Of a generation,
/// everything that was charged for it is given back, the newest deduction first.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/refunds", operation_id = "refund", tag = "Spending",
    params(("account" = Id, Path)), request_body = RefundRequest,
    responses(
        (status = 201, description = "Refunded.", body = RefundedResponse),
        Problems<(DeductionNotFound, RefundExceedsDeduction)>,
    )
)]
pub async fn refund(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyHeader,
    Json(refund): Json<RefundRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = command(&state, &to.account, refund).await?;
    let order = CommandCall { kind: CommandKind::Refund, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// The command, with the deductions as their events say. These never change, so they can be read before.
///
/// # Errors
/// When there is no such deduction, or none is named.
pub async fn command(
    state: &AppState,
    account: &AccountId,
    refund: RefundRequest,
) -> Result<Command, Failure> {
    let (of, deductions) = match (refund.generation_id, refund.deduction_id) {
        (Some(generation), None) => {
            let found = state.ledger.find_spent_on(account, &generation, DEDUCTIONS_MAX + 1).await?;
            (Spent::Generation(generation), found)
        }
        (None, Some(deduction)) => {
            let found = state.ledger.find_deduction(account, &deduction).await?;
            (Spent::Deduction(deduction), found.into_iter().collect())
        }
        (None, None) => return Err(Failure::body("$", "`generation_id` or `deduction_id` is needed")),
        (Some(_), Some(_)) => {
            return Err(Failure::body("$.deduction_id", "it cannot be sent together with `generation_id`"));
        }
    };
    if deductions.len() > usize::from(DEDUCTIONS_MAX) {
        let expected =
            format!("more than {DEDUCTIONS_MAX} deductions are for it: name each by `deduction_id`");
        return Err(Failure::body("$.generation_id", expected));
    }
    if deductions.is_empty() {
        let exists = state.ledger.view(account).await?.account.opened().is_some();
        return Err(if exists {
            TargetError::DeductionNotFound.into()
        } else {
            Refusal::AccountNotFound.into()
        });
    }
    let amount = refund.amount.map(Amount::credits);
    Ok(Command::RefundDeductions { of, deductions, amount, reason: refund.reason.into() })
}
