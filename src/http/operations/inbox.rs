//! What did Stripe deliver, and what was done with it? For the operator who has to repair it.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{Response, request::Parts},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::ids::ProviderId,
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Problems},
        problems::{InboxEventForgotten, InboxEventNotFound, InboxEventState, TargetError},
        reads::page::PageSize,
        request::{All, Bills, Json, Need, Operates, Query, Text, parameter},
        response::json,
        schema::{Id, InboxEventSchema},
    },
    stripe::inbound::inbox::{InboxState, InboxSummary, Operated},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InboxQuery {
    /// `received`, `processed`, `ignored`, `not_handled_yet`, `waiting`, `dead`, `quarantined` or `discarded`
    #[param(value_type = Option<String>)]
    state: Option<InboxState>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<i64>,
    /// How many events; 100 if left out, and at most 500.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct InboxEventsResponse {
    /// The newest first.
    #[schema(value_type = Vec<InboxEventSchema>)]
    events: Vec<InboxSummary>,
    next_cursor: Option<String>,
}

/// The event in the path.
pub struct InboxEventPath(ProviderId);

impl Input for InboxEventPath {}

impl<S: Send + Sync> FromRequestParts<S> for InboxEventPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = parameter(parts, state, "event").await?;
        ProviderId::parse(&text).map(Self).map_err(|error| Failure::address("event", error.to_string()))
    }
}

/// List deliveries
#[utoipa::path(
    get, path = "/v1/inbox", operation_id = "list_inbox", tag = "Stripe", params(InboxQuery),
    responses((status = 200, description = "A page of deliveries.", body = inline(InboxEventsResponse)))
)]
pub async fn list(
    State(state): State<AppState>,
    _from: All<Operates>,
    Query(asked): Query<InboxQuery>,
) -> Result<Response<Body>, Failure> {
    let limit = u32::try_from(asked.limit.get()).unwrap_or(u32::MAX);
    let page = state.inbox.list(asked.state, asked.cursor, limit).await?;
    json(&InboxEventsResponse { events: page.events, next_cursor: page.next.map(|next| next.to_string()) })
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryResponse {
    #[schema(value_type = InboxEventSchema)]
    event: InboxSummary,
    /// Data of people and cards that is not stored is shown as `…`.
    /// `null`: the key does not have the scope `billing`, or the document is no longer stored.
    #[schema(value_type = Option<Object>, required)]
    document: Option<serde_json::Value>,
}

/// Show a delivery
///
/// The document is only shown to keys that also have the scope `billing`.
/// It is stored for `COUNTERFOIL_INBOX_DAYS` days after the event has been handled.
#[utoipa::path(
    get, path = "/v1/inbox/{event}", operation_id = "get_inbox_event", tag = "Stripe",
    params(("event" = Id, Path)),
    responses(
        (status = 200, description = "The delivery, and its document.", body = DeliveryResponse),
        Problems<InboxEventNotFound>,
    )
)]
pub async fn show(
    State(state): State<AppState>,
    from: All<Operates>,
    InboxEventPath(event): InboxEventPath,
) -> Result<Response<Body>, Failure> {
    let entry = state.inbox.find(event.as_str()).await?.ok_or(TargetError::InboxEventNotFound)?;
    let document = if from.caller.may(Bills::SCOPES) { entry.shown().map_err(Failure::fault)? } else { None };
    json(&DeliveryResponse { event: entry.summary, document })
}

/// Process a delivery again
#[utoipa::path(
    post, path = "/v1/inbox/{event}/retry", operation_id = "retry_inbox_event", tag = "Stripe",
    params(("event" = Id, Path)),
    responses(
        (status = 200, description = "It will be processed again now.", body = inline(InboxChangeResponse)),
        Problems<(InboxEventNotFound, InboxEventState, InboxEventForgotten)>,
    )
)]
pub async fn retry(
    State(state): State<AppState>,
    _from: All<Operates>,
    InboxEventPath(event): InboxEventPath,
) -> Result<Response<Body>, Failure> {
    let operated = state.inbox.retry(event.as_str(), state.ledger.clock().now()).await?;
    changed(&state, &event, operated).await
}

/// Why a delivery is not processed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "made by hand while testing" }))]
pub struct DiscardRequest {
    reason: Text,
}

/// Discard a delivery
#[utoipa::path(
    post, path = "/v1/inbox/{event}/discard", operation_id = "discard_inbox_event", tag = "Stripe",
    params(("event" = Id, Path)), request_body = DiscardRequest,
    responses(
        (status = 200, description = "It stays in the inbox, with the reason.", body = inline(InboxChangeResponse)),
        Problems<(InboxEventNotFound, InboxEventState, InboxEventForgotten)>,
    )
)]
pub async fn discard(
    State(state): State<AppState>,
    _from: All<Operates>,
    InboxEventPath(event): InboxEventPath,
    Json(discarding): Json<DiscardRequest>,
) -> Result<Response<Body>, Failure> {
    let reason = String::from(discarding.reason);
    let operated = state.inbox.discard(event.as_str(), &reason, state.ledger.clock().now()).await?;
    changed(&state, &event, operated).await
}

#[derive(Debug, Serialize, ToSchema)]
pub struct InboxChangeResponse {
    #[schema(value_type = InboxEventSchema)]
    event: InboxSummary,
}

async fn changed(
    state: &AppState,
    event: &ProviderId,
    operated: Operated,
) -> Result<Response<Body>, Failure> {
    match operated {
        Operated::Done => {
            let entry = state.inbox.find(event.as_str()).await?.ok_or(TargetError::InboxEventNotFound)?;
            json(&InboxChangeResponse { event: entry.summary })
        }
        Operated::NotFound => Err(TargetError::InboxEventNotFound.into()),
        Operated::NotPossible { state } => Err(TargetError::InboxEventState(state).into()),
        Operated::Forgotten => Err(TargetError::InboxEventForgotten.into()),
    }
}
