//! What does a caller read after a command? What its events say, and nothing that changes afterwards.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;

use crate::http::failure::Failure;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The JSON answer of a command, before it is sent by itself or in a batch: its status, and whether it is a repetition.
/// [`send`] adds what all answers have.
pub type CommandReply = Response<Vec<u8>>;

/// # Errors
/// When the document cannot be written as JSON.
pub fn write(status: StatusCode, replayed: bool, document: &impl Serialize) -> Result<CommandReply, Failure> {
    let mut reply = Response::new(serde_json::to_vec(document).map_err(Failure::fault)?);
    *reply.status_mut() = status;
    if replayed {
        reply.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(reply)
}

#[must_use]
pub fn is_replayed(reply: &CommandReply) -> bool {
    reply.headers().contains_key(REPLAYED)
}

#[must_use]
pub fn send(reply: CommandReply) -> Response<Body> {
    let mut response = reply.map(Body::from);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
