//! Which secret came with a request?

use axum::http::{HeaderMap, header};

const BEARER: &str = "Bearer ";

/// The secret of `Authorization: Bearer …`, whose first word may be written in any case.
pub fn find(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = authorization.split_at_checked(BEARER.len())?;
    (scheme.eq_ignore_ascii_case(BEARER) && !secret.is_empty()).then_some(secret)
}
