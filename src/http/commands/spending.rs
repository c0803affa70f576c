//! Routes that spend credits.

use axum::{body::Body, extract::State, http::Response};

use crate::http::{
    AppState,
    failure::Failure,
    request::{AccountOf, Deducts, IdempotencyKey, Json},
    schema::Id,
};

use super::{
    documents::{Deducted, Held},
    inputs::{Deduction, GenerationOrder},
    order::{Kind, Order},
};

/// Deduct what a generation costs
///
/// The catalog says the price. The plan's features and limits and the balance are checked in the same step that
/// deducts. With `"hold": true` the credits are only set aside, and the answer is that of a hold.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/generations", operation_id = "generate", tag = "Spending",
    params(("account" = Id, Path)), request_body = GenerationOrder,
    responses((status = 201, description = "Deducted, or held.", body = inline(Generated)))
)]
pub async fn generate(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyKey,
    Json(order): Json<GenerationOrder>,
) -> Result<Response<Body>, Failure> {
    let key = key.or(order.own_key())?;
    let kind = if order.hold { Kind::Hold } else { Kind::Generate };
    let order = Order { kind, account: to.account, key, command: order.into_command()? };
    order.perform(&state, &to.caller, &to.request_id).await.map(super::order::Done::into_response)
}

/// Deduct an amount
///
/// All of it, or none of it.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/deductions", operation_id = "deduct", tag = "Spending",
    params(("account" = Id, Path)), request_body = Deduction,
    responses((status = 201, description = "Deducted.", body = Deducted))
)]
pub async fn deduct(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    key: IdempotencyKey,
    Json(deduction): Json<Deduction>,
) -> Result<Response<Body>, Failure> {
    let key = key.required()?;
    let order = Order { kind: Kind::Deduct, account: to.account, key, command: deduction.into_command() };
    order.perform(&state, &to.caller, &to.request_id).await.map(super::order::Done::into_response)
}

/// The answer to a generation: one or the other, as was asked for.
#[derive(utoipa::ToSchema)]
#[schema(as = Generated)]
#[expect(dead_code, reason = "only its description is used")]
#[serde(untagged)]
pub enum Generated<'a> {
    Deducted(Deducted<'a>),
    Held(Held<'a>),
}
