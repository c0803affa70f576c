//! Routes that spend credits.

use axum::{body::Body, extract::State, http::Response};

use crate::http::{
    AppState,
    failure::Failure,
    openapi::Problems,
    problems::{
        FeatureNotInPlan, HoldTooLong, Spending, UnknownGenerationType, UnknownOption, UnknownOptionValue,
    },
    request::{AccountOf, Deducts, IdempotencyHeader, Json, OptionalKey},
    schema::Id,
};

use super::{
    documents::{DeductedResponse, HoldPlacedResponse},
    inputs::{DeductRequest, GenerationRequest},
    order::{CommandCall, CommandKind},
};

/// Deduct what a generation costs
///
/// The catalog says the price. The plan's features and limits and the balance are checked in the same step that
/// deducts. With `"hold": true` the credits are only set aside, and the answer is that of a hold.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/generations", operation_id = "generate", tag = "Spending",
    params(("account" = Id, Path)), request_body = GenerationRequest,
    responses(
        (status = 201, description = "Deducted, or held.", body = inline(Generated)),
        Problems<(
            Spending, FeatureNotInPlan, UnknownGenerationType, UnknownOption, UnknownOptionValue,
            HoldTooLong,
        )>,
    )
)]
pub async fn generate(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    OptionalKey(key): OptionalKey,
    Json(order): Json<GenerationRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.or(order.own_key())?;
    let kind = if order.hold { CommandKind::Hold } else { CommandKind::Generate };
    let order = CommandCall { kind, account: to.account, key, command: order.into_command()? };
    order.perform(&state, &to.caller, &to.request_id).await.map(super::order::CommandReply::into_response)
}

/// Deduct an amount
///
/// All of it, or none of it.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/deductions", operation_id = "deduct", tag = "Spending",
    params(("account" = Id, Path)), request_body = DeductRequest,
    responses(
        (status = 201, description = "Deducted.", body = DeductedResponse),
        Problems<Spending>,
    )
)]
pub async fn deduct(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyHeader,
    Json(deduction): Json<DeductRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let order = CommandCall {
        kind: CommandKind::Deduct,
        account: to.account,
        key,
        command: deduction.into_command(),
    };
    order.perform(&state, &to.caller, &to.request_id).await.map(super::order::CommandReply::into_response)
}

/// The answer to a generation: one or the other, as was asked for.
#[derive(utoipa::ToSchema)]
#[schema(as = Generated)]
#[expect(dead_code, reason = "only its description is used")]
#[serde(untagged)]
pub enum Generated<'a> {
    Deducted(DeductedResponse<'a>),
    Held(HoldPlacedResponse<'a>),
}
