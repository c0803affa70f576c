//! How does Stripe deliver events?
//! The signature takes the place of a key: a body is not read if its header cannot be right, and not used before it is
//! verified.

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{
            BodyTimeout, BodyTooLarge, Internal, Unavailable, WebhookSignatureInvalid, WebhookUnparsable,
        },
        request::read,
        response::json,
    },
    stripe::inbound::{
        inbox::{BODY_BYTES_MAX, ReceiveError},
        signature,
    },
};

#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptResponse {
    /// Always `true`.
    received: bool,
}

/// Deliver a Stripe event
///
/// Stored once by its id, answered, and then processed. A second delivery changes nothing.
#[utoipa::path(
    post, path = "/v1/webhooks/stripe", operation_id = "receive_stripe_event", tag = "Stripe", security(()),
    request_body(content = Object, description = "The event, as Stripe signed it."),
    responses(
        (status = 200, description = "The event is stored.", body = ReceiptResponse),
        Problems<(
            WebhookSignatureInvalid, WebhookUnparsable, BodyTooLarge, BodyTimeout, Unavailable,
            Internal,
        )>,
    )
)]
pub async fn stripe(State(state): State<AppState>, request: Request) -> Result<Response<Body>, Failure> {
    let signature = request.headers().get(signature::HEADER);
    let signature = signature.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let now = || state.ledger.clock().now();
    signature::may_be_signed(signature.as_deref(), now()).map_err(ReceiveError::Signature)?;
    let body = read(request, BODY_BYTES_MAX).await?;
    state.inbox.receive(&state.secrets, signature.as_deref(), &body, now()).await?;
    json(&ReceiptResponse { received: true })
}
