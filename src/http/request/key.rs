//! Is this request new, or a repetition? The idempotency key says so.

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::http::{
    failure::Failure,
    openapi::{Input, Inputs, KeyRule},
    problems::RequestError,
};

/// The longest key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
const NAME: &str = "Idempotency-Key";
const EXPECTED: &str = "a key has 1 to 255 visible ASCII characters";
const ONE: &str = "a request has one key";

/// The value of `Idempotency-Key`, if it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyHeader(Option<String>);

impl IdempotencyHeader {
    /// # Errors
    /// If none was sent.
    pub fn required(self) -> Result<String, RequestError> {
        self.0.ok_or(RequestError::IdempotencyKeyMissing)
    }

    /// # Errors
    /// If none was sent, and nothing else identifies repetitions.
    pub fn or(self, other: Option<String>, rule: KeyRule) -> Result<String, RequestError> {
        self.0.or(other).ok_or_else(|| key_missing(rule))
    }
}

/// What is said if a request has no key.
#[must_use]
pub const fn key_missing(rule: KeyRule) -> RequestError {
    match rule {
        KeyRule::OrOwnId => RequestError::KeyOrOwnIdMissing,
        KeyRule::Required | KeyRule::None => RequestError::IdempotencyKeyMissing,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let (value, None) = (values.next(), values.next()) else {
            return Err(Failure::header(NAME, ONE));
        };
        let Some(value) = value else { return Ok(Self(None)) };
        let text = value.to_str().ok().filter(|text| check_key(text));
        text.map(|text| Self(Some(text.to_owned()))).ok_or_else(|| Failure::header(NAME, EXPECTED))
    }
}

impl Input for IdempotencyHeader {
    const INPUTS: Inputs = Inputs { key: KeyRule::Required, ..Inputs::NONE };
}

/// Whether a text can be an idempotency key.
#[must_use]
pub fn check_key(text: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
