//! What can be read without a key? What is for sale, which browsers may cache.

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::http::{AppState, failure::Failure, openapi::Input, response::json};

/// How long a browser, or a cache in between, may keep an answer.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A visitor without a key, and what their browser has cached.
pub struct Visitor {
    known: Option<HeaderValue>,
}

impl Input for Visitor {}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Failure> {
        Ok(Self { known: known(&parts.headers) })
    }
}

fn known(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::IF_NONE_MATCH).cloned()
}

impl Visitor {
    /// The document, or the answer that the cached one is still valid.
    ///
    /// # Errors
    /// If the document cannot be written as JSON.
    pub fn answer(&self, document: &impl Serialize) -> Result<Response<Body>, Failure> {
        let body = serde_json::to_vec(document).map_err(Failure::fault)?;
        let tag = format!("\"{}\"", hex::encode(Sha256::digest(&body)));
        let is_known = self.known.as_ref().is_some_and(|known| names(known, &tag));
        let mut response = if is_known { Response::new(Body::empty()) } else { json(document)? };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        Ok(response)
    }
}

/// Whether `If-None-Match` contains this tag. A cache may have made it weak.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let mut tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
