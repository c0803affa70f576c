//! What is answered to a request that reaches no handler? An error object, as for every other refusal.

use axum::{
    body::to_bytes,
    extract::Request,
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::failure::SandboxFailure;

/// The longest text of the framework's that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

/// Replaces the framework's own refusals, of unknown routes and unreadable bodies, which are plain text or empty.
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
