//! How is an answer written? As JSON, with its position and lag if it has one.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, header},
};
use serde::Serialize;

use super::{failure::Failure, position::Token};
use crate::domain::recorded::{JournalPosition, JournalPositions};

pub const POSITION: HeaderName = HeaderName::from_static("counterfoil-position");
pub const LAG_MS: HeaderName = HeaderName::from_static("counterfoil-lag-ms");

/// An answer that is up to date at a position.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn fresh(position: JournalPosition, document: &impl Serialize) -> Result<Response<Body>, Failure> {
    as_of(position, 0, document)
}

/// An answer as of a position, with its lag.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn as_of(
    position: impl Into<JournalPositions>,
    lag_ms: u64,
    document: &impl Serialize,
) -> Result<Response<Body>, Failure> {
    let mut response = json(document)?;
    write_position(&mut response, position, lag_ms);
    Ok(response)
}

pub fn write_position(response: &mut Response<Body>, position: impl Into<JournalPositions>, lag_ms: u64) {
    let headers = response.headers_mut();
    if let Ok(token) = HeaderValue::try_from(Token::of(position).to_string()) {
        headers.insert(POSITION, token);
    }
    headers.insert(LAG_MS, HeaderValue::from(lag_ms));
}

/// # Errors
/// When it cannot be written as JSON.
pub fn json(document: &impl Serialize) -> Result<Response<Body>, Failure> {
    let mut response = Response::new(Body::from(serde_json::to_vec(document).map_err(Failure::fault)?));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
