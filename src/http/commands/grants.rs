//! Routes of operators: what is given, taken and forgiven by hand.

use axum::{body::Body, extract::State, http::Response};

use crate::http::{
    AppState,
    failure::Failure,
    openapi::Problems,
    problems::{
        ClockBehind, DebtSmaller, GrantAlreadyExists, GrantHasEnded, HoldsOpen, InsufficientCredits,
        NothingOwed,
    },
    request::{AccountOf, IdempotencyHeader, Json, Operates},
    schema::Id,
};

use super::{
    documents::{AdjustedResponse, ClosedResponse, ForgivenResponse, GrantedResponse},
    inputs::{AdjustRequest, CloseRequest, ForgiveRequest, GrantRequest},
    order::{CommandCall, CommandKind, CommandReply},
};

/// Give credits
///
/// A bonus, or an adjustment. What the account owes is paid from it first.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/grants", operation_id = "grant", tag = "Operating",
    params(("account" = Id, Path)), request_body = GrantRequest,
    responses(
        (status = 201, description = "Granted.", body = GrantedResponse),
        Problems<(GrantAlreadyExists, GrantHasEnded)>,
    )
)]
pub async fn grant(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyHeader,
    Json(grant): Json<GrantRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = grant.into_command(&key)?;
    let order = CommandCall { kind: CommandKind::Grant, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Take credits away
#[utoipa::path(
    post, path = "/v1/accounts/{account}/adjustments", operation_id = "adjust", tag = "Operating",
    params(("account" = Id, Path)), request_body = AdjustRequest,
    responses(
        (status = 201, description = "Taken.", body = AdjustedResponse),
        Problems<(InsufficientCredits, ClockBehind)>,
    )
)]
pub async fn adjust(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyHeader,
    Json(adjustment): Json<AdjustRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = adjustment.into_command();
    let order = CommandCall { kind: CommandKind::Adjust, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Forgive debt
#[utoipa::path(
    post, path = "/v1/accounts/{account}/debt/forgive", operation_id = "forgive_debt", tag = "Operating",
    params(("account" = Id, Path)), request_body = ForgiveRequest,
    responses(
        (status = 200, description = "Forgiven.", body = ForgivenResponse),
        Problems<(NothingOwed, DebtSmaller)>,
    )
)]
pub async fn forgive(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyHeader,
    Json(forgiveness): Json<ForgiveRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = forgiveness.into_command();
    let order = CommandCall { kind: CommandKind::Forgive, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Close an account
///
/// For good. Open holds must be ended first. What the account is subscribed to goes on being charged for, and gives
/// nothing, until it is cancelled: `POST …/subscription/cancel`, which a closed account takes as well.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/close", operation_id = "close_account", tag = "Operating",
    params(("account" = Id, Path)), request_body = CloseRequest,
    responses(
        (status = 200, description = "Closed.", body = ClosedResponse),
        Problems<HoldsOpen>,
    )
)]
pub async fn close(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyHeader,
    Json(closing): Json<CloseRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = closing.into_command();
    let order = CommandCall { kind: CommandKind::Close, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}
