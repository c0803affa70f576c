//! What does a caller read when something failed? A problem as in RFC 9457.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

use super::failure::Failure;

pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

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
    members: &'a Map<String, Value>,
}

/// The problem as JSON.
#[must_use]
pub fn body(failure: &Failure, request_id: Option<&str>) -> Vec<u8> {
    let explanation = failure.explanation();
    let code = explanation.code;
    let problem = ProblemDocument {
        r#type: format!("urn:counterfoil:problem:{}", code.name),
        title: code.title,
        status: code.status.as_u16(),
        code: code.name,
        detail: explanation.detail(),
        advice: explanation.advice,
        request_id,
        members: &explanation.members,
    };
    // Plain data with text keys cannot fail to be written.
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The complete response.
#[must_use]
pub fn response(failure: &Failure, request_id: &str, now: Timestamp) -> Response<Body> {
    let mut response = Response::new(Body::from(body(failure, Some(request_id))));
    *response.status_mut() = failure.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    let wait = failure.explanation().retry_after;
    if let Some(seconds) = wait.and_then(|wait| wait.seconds(now)) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.status() == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
