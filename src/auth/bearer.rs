//! Which secret did a request send?

use axum::http::{HeaderMap, header};

const BEARER: &str = "Bearer ";

/// The secret of `Authorization: Bearer …`. The case of `Bearer` does not matter.
pub fn find(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = authorization.split_at_checked(BEARER.len())?;
    (scheme.eq_ignore_ascii_case(BEARER) && !secret.is_empty()).then_some(secret)
}
