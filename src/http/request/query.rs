//! What do the query parameters say? Unknown names are refused.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use crate::http::{failure::Failure, openapi::Input};

/// Query parameters of the expected form.
pub struct Query<T>(pub T);

impl<T> Input for Query<T> {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // No parameter may contain control characters, and the database does not accept NUL.
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let mut pairs = pairs.map(|pairs| pairs.0.into_iter()).unwrap_or_default();
        if let Some((name, _)) = pairs.find(|(_, text)| text.chars().any(char::is_control)) {
            return Err(Failure::query(name, "a text has no control characters"));
        }
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|rejection| explain(&rejection.body_text()))
    }
}

/// What the texts of Rust's own parsers mean, and how a time is written in a query.
fn in_words(expected: &str) -> String {
    match expected {
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "a whole number is expected".to_owned(),
        "provided string was not `true` or `false`" => "`true` or `false` is expected".to_owned(),
        time if time.contains("RFC 3339") => format!("{time}; in a query, + is written %2B"),
        other => other.to_owned(),
    }
}

/// The rejection's text is `Failed to …: name: message`.
fn explain(text: &str) -> Failure {
    let message = text.split_once(": ").map_or(text, |(_, message)| message);
    let quoted = message.split('`').nth(1);
    match message.split_once(": ") {
        Some((name, expected)) if !name.contains(' ') => Failure::query(name, in_words(expected)),
        Some(_) | None => Failure::query(quoted.unwrap_or("query"), message),
    }
}
