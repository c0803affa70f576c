//! What does a caller read when something failed? A problem as in RFC 9457.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

use super::{failure::Failure, members};

pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// How long a caller is asked to wait when nothing better is known, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// The members that every problem has. Some codes have more.
#[derive(Serialize)]
struct ProblemDocument<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: String,
    advice: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// The problem as JSON.
#[must_use]
pub fn body(failure: &Failure, request_id: Option<&str>) -> Vec<u8> {
    let about = failure.code().about();
    let problem = ProblemDocument {
        r#type: format!("urn:counterfoil:problem:{}", about.code),
        title: about.title,
        status: about.status.as_u16(),
        code: about.code,
        detail: members::detail(failure),
        advice: members::advice(failure),
        request_id,
        members: members::of(failure),
    };
    // Plain data with text keys: writing it cannot fail.
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The whole answer.
#[must_use]
pub fn response(failure: &Failure, request_id: &str, now: Timestamp) -> Response<Body> {
    let mut response = Response::new(Body::from(body(failure, Some(request_id))));
    *response.status_mut() = failure.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Some(seconds) = retry_after(failure, now) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.status() == axum::http::StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn retry_after(failure: &Failure, now: Timestamp) -> Option<u64> {
    if let Failure::RateLimited { wait_s } | Failure::TooManyCheckouts { wait_s } = failure {
        return Some(*wait_s);
    }
    if let Some(resets_at) = members::resets_at(failure) {
        return u64::try_from(resets_at.seconds().saturating_sub(now.seconds())).ok().map(|wait| wait.max(1));
    }
    let unavailable = failure.status() == axum::http::StatusCode::SERVICE_UNAVAILABLE;
    unavailable.then_some(RETRY_AFTER_S)
}
