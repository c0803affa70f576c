//! Routes that set credits aside, and end that.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, request::Parts},
};

use crate::{
    domain::{command::Command, names::HoldId},
    http::{
        AppState,
        failure::Failure,
        request::{AccountOf, Deducts, IdempotencyKey, Json, JsonOrNothing, parameter},
        schema::Id,
    },
};

use super::{
    documents::{Committed, Extended, Held, Released},
    inputs::{Commit, Extension, HoldOrder, Nothing},
    order::{Done, Kind, Order},
};

/// The hold in the address.
pub struct HoldInAddress(HoldId);

impl<S: Send + Sync> FromRequestParts<S> for HoldInAddress {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = parameter(parts, state, "hold").await?;
        HoldId::parse(&text).map(Self).map_err(|error| Failure::address("hold", error.to_string()))
    }
}

/// Set credits aside
///
/// Until they are committed or released, or the hold expires.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds", operation_id = "hold", tag = "Holds",
    params(("account" = Id, Path)), request_body = HoldOrder,
    responses((status = 201, description = "Held.", body = Held))
)]
pub async fn hold(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyKey,
    Json(order): Json<HoldOrder>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let order = Order { kind: Kind::Hold, account: to.account, key, command: order.into_command() };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Spend a hold
///
/// Wholly or in part; the rest goes back to the grants that it came from.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/commit", operation_id = "commit_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<Commit>,
    responses((status = 200, description = "Committed.", body = Committed))
)]
pub async fn commit(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldInAddress(hold_id): HoldInAddress,
    key: IdempotencyKey,
    JsonOrNothing(commit): JsonOrNothing<Commit>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = commit.into_command(hold_id);
    let order = Order { kind: Kind::Commit, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Give a hold up
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/release", operation_id = "release_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<Nothing>,
    responses((status = 200, description = "Released.", body = Released))
)]
pub async fn release(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldInAddress(hold_id): HoldInAddress,
    key: IdempotencyKey,
    JsonOrNothing(Nothing {}): JsonOrNothing<Nothing>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = Command::ReleaseHold { hold_id };
    let order = Order { kind: Kind::Release, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}

/// Move the end of a hold
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/extend", operation_id = "extend_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Extension,
    responses((status = 200, description = "Extended.", body = Extended))
)]
pub async fn extend(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldInAddress(hold_id): HoldInAddress,
    key: IdempotencyKey,
    Json(extension): Json<Extension>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = extension.into_command(hold_id);
    let order = Order { kind: Kind::Extend, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(Done::into_response)
}
