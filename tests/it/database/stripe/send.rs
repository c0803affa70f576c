//! What `stripe send` posts is what the endpoint accepts.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use counterfoil::{
    domain::time::Timestamp,
    stripe::inbound::{
        send::send,
        signature::{HEADER, Secrets, verify},
    },
};

use crate::support::documents::{SHAPES, read};

type Seen = Arc<Mutex<Vec<(Option<String>, Vec<u8>)>>>;

/// A server that remembers what was posted, and where it listens.
async fn listener() -> (String, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        let signature = headers.get(HEADER).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        kept.lock().unwrap().push((signature, body.to_vec()));
        r#"{"received":true}"#
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/webhooks/stripe", socket.local_addr().unwrap());
    let app = Router::new().route("/v1/webhooks/stripe", post(handler));
    tokio::spawn(async move { axum::serve(socket, app).await });
    (url, seen)
}

#[tokio::test]
async fn a_document_is_posted_byte_for_byte_and_signed() {
    let (url, seen) = listener().await;
    let secrets = Secrets::parse("whsec_test").unwrap();
    let at = Timestamp::from_seconds(1_748_772_300).unwrap();
    let body = read(SHAPES[1], "invoice.paid.subscription_create.json");
    let secret = secrets.first().unwrap();
    let answer = send(&reqwest::Client::new(), &url, secret, body.clone(), at).await.unwrap();
    assert!(answer.is_accepted());
    assert_eq!(answer.event.as_deref(), Some("evt_1Q1ff57ad69fae6e0cb7e82e"));
    assert_eq!(answer.body, r#"{"received":true}"#);
    let seen = seen.lock().unwrap();
    let (signature, sent) = &seen[0];
    assert_eq!(*sent, body);
    assert!(verify(&secrets, signature.as_deref(), sent, at).is_ok());
}
