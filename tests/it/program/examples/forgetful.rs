//! A way to the ledger on which the first answer to each request is lost, after the work was done.
//!
//! A backend that repeats a request with another key, or not at all, does not come through.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use reqwest::Client;

/// As large as an answer of the ledger gets, with its document.
const BODY_BYTES_MAX: usize = 8 * 1_024 * 1_024;

#[derive(Clone)]
struct Way {
    ledger: String,
    client: Client,
    /// The requests of which an answer was lost.
    lost: Arc<Mutex<BTreeSet<String>>>,
}

/// Returns the address of the way.
pub async fn before(ledger: String) -> String {
    let way = Way { ledger, client: Client::new(), lost: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let router = Router::new().fallback(pass).with_state(way);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn pass(State(way): State<Way>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.expect("a body");
    let asked = format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&body));
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let request = way.client.request(parts.method, format!("{}{}", way.ledger, parts.uri));
    let answer = request.headers(headers).body(body).send().await.expect("the ledger answers");
    if way.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(asked) {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")], "{}").into_response();
    }
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body: Bytes = answer.bytes().await.expect("a body");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}
