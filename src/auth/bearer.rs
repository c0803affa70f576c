//! Which secret did a request send?

use axum::http::{HeaderMap, header};

const BEARER: &str = "Bearer ";

/// Why there is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBearer {
    /// There is no header `Authorization`.
    NoHeader,
    /// It has another form.
    OtherForm,
}

/// The secret of `Authorization: Bearer …`. The case of `Bearer` does not matter.
///
/// # Errors
/// If none was sent in this form.
pub fn find(headers: &HeaderMap) -> Result<&str, NoBearer> {
    let sent = headers.get(header::AUTHORIZATION).ok_or(NoBearer::NoHeader)?;
    let parts = sent.to_str().ok().and_then(|text| text.split_at_checked(BEARER.len()));
    let secret = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER)).map(|(_, secret)| secret);
    secret.filter(|secret| !secret.is_empty()).ok_or(NoBearer::OtherForm)
}
