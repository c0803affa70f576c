//! Routes that set credits aside, and end that.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, request::Parts},
};

use crate::{
    domain::{command::Command, ids::HoldId},
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Problems},
        problems::{
            CommitExceedsHold, HoldAlreadyResolved, HoldNotFound, HoldTooLong, InsufficientCredits,
            LimitReached, Spending,
        },
        request::{AccountOf, Deducts, IdempotencyHeader, Json, JsonOrNothing, parameter},
        schema::Id,
    },
};

use super::{
    documents::{CommittedResponse, ExtendedResponse, HoldPlacedResponse, ReleasedResponse},
    inputs::{CommitRequest, EmptyRequest, ExtendRequest, HoldRequest},
    order::{CommandCall, CommandKind, CommandReply},
};

/// Why a hold cannot be ended, or moved.
type EndingHold = (HoldNotFound, HoldAlreadyResolved);

/// The hold in the address.
pub struct HoldPath(HoldId);

impl Input for HoldPath {}

impl<S: Send + Sync> FromRequestParts<S> for HoldPath {
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
    params(("account" = Id, Path)), request_body = HoldRequest,
    responses(
        (status = 201, description = "Held.", body = HoldPlacedResponse),
        Problems<(Spending, HoldTooLong)>,
    )
)]
pub async fn hold(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyHeader,
    Json(order): Json<HoldRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let order =
        CommandCall { kind: CommandKind::Hold, account: to.account, key, command: order.into_command() };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Spend a hold
///
/// Wholly or in part; the rest goes back to the grants that it came from.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/commit", operation_id = "commit_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<CommitRequest>,
    responses(
        (status = 200, description = "Committed.", body = CommittedResponse),
        Problems<(EndingHold, CommitExceedsHold, InsufficientCredits, LimitReached)>,
    )
)]
pub async fn commit(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldPath(hold_id): HoldPath,
    key: IdempotencyHeader,
    JsonOrNothing(commit): JsonOrNothing<CommitRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = commit.into_command(hold_id);
    let order = CommandCall { kind: CommandKind::Commit, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Give a hold up
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/release", operation_id = "release_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<EmptyRequest>,
    responses(
        (status = 200, description = "Released.", body = ReleasedResponse),
        Problems<EndingHold>,
    )
)]
pub async fn release(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldPath(hold_id): HoldPath,
    key: IdempotencyHeader,
    JsonOrNothing(EmptyRequest {}): JsonOrNothing<EmptyRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = Command::ReleaseHold { hold_id };
    let order = CommandCall { kind: CommandKind::Release, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// Move the end of a hold
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/extend", operation_id = "extend_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = ExtendRequest,
    responses(
        (status = 200, description = "Extended.", body = ExtendedResponse),
        Problems<(EndingHold, HoldTooLong)>,
    )
)]
pub async fn extend(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    HoldPath(hold_id): HoldPath,
    key: IdempotencyHeader,
    Json(extension): Json<ExtendRequest>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let command = extension.into_command(hold_id);
    let order = CommandCall { kind: CommandKind::Extend, account: to.account, key, command };
    order.perform(&state, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}
