//! What is answered where a request does not come as far as to be understood? What everything else is answered with.

use axum::{
    body::to_bytes,
    extract::Request,
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::failure::SandboxFailure;

/// The longest text that the framework says by itself, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

/// The framework refuses by itself what has no route, and what it cannot read, with a line of text or with nothing.
pub(super) async fn in_one_form(request: Request, next: Next) -> Response {
    let unknown = format!("Unrecognized request URL ({}: {}).", request.method(), request.uri().path());
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let has_form = kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if has_form || !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, TEXT_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let message = if text.is_empty() { unknown } else { text.into_owned() };
    let mut answer = SandboxFailure::invalid(message).status(parts.status.as_u16()).into_response();
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    answer
}
