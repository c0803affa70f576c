//! Routes of operators: what is given, taken and forgiven by hand.

use axum::{body::Body, extract::State, http::Response};

use crate::http::{
    AppState,
    failure::Failure,
    request::{AccountOf, IdempotencyKey, Json, Operates},
    schema::Id,
};

use super::{
    documents::{Adjusted, Closed, Forgiven, Granted},
    inputs::{Adjustment, Closing, Forgiveness, Grant},
    order::{Done, Kind, Order},
};

/// Give credits
///
/// A bonus, or an adjustment. What the account owes is paid from it first.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/grants", operation_id = "grant", tag = "Operating",
    params(("account" = Id, Path)), request_body = Grant,
    responses((status = 201, description = "Granted.", body = Granted))
)]
pub async fn grant(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyKey,
    Json(grant): Json<Grant>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = grant.into_command(&key)?;
    let order = Order { kind: Kind::Grant, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Take credits away
#[utoipa::path(
    post, path = "/v1/accounts/{account}/adjustments", operation_id = "adjust", tag = "Operating",
    params(("account" = Id, Path)), request_body = Adjustment,
    responses((status = 201, description = "Taken.", body = Adjusted))
)]
pub async fn adjust(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyKey,
    Json(adjustment): Json<Adjustment>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = adjustment.into_command();
    let order = Order { kind: Kind::Adjust, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Forgive debt
#[utoipa::path(
    post, path = "/v1/accounts/{account}/debt/forgive", operation_id = "forgive_debt", tag = "Operating",
    params(("account" = Id, Path)), request_body = Forgiveness,
    responses((status = 200, description = "Forgiven.", body = Forgiven))
)]
pub async fn forgive(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyKey,
    Json(forgiveness): Json<Forgiveness>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = forgiveness.into_command();
    let order = Order { kind: Kind::Forgive, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Close an account
///
/// For good. Open holds must be ended first. What the account is subscribed to goes on being charged for, and gives nothing, until
/// it is cancelled: `POST …/subscription/cancel`, which a closed account takes as well.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/close", operation_id = "close_account", tag = "Operating",
    params(("account" = Id, Path)), request_body = Closing,
    responses((status = 200, description = "Closed.", body = Closed))
)]
pub async fn close(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    key: IdempotencyKey,
    Json(closing): Json<Closing>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = closing.into_command();
    let order = Order { kind: Kind::Close, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}
