//! A server that stops answers what it has accepted.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::http::Server;

#[tokio::test]
async fn a_request_that_was_begun_is_answered_and_a_new_one_is_not_taken() {
    let mut server = Server::start().await;
    server.open("acme").await;
    let host = server.address.trim_start_matches("http://").to_owned();
    let body = json!({ "amount": 1 }).to_string();
    let head = format!(
        "POST /v1/accounts/acme/deductions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         idempotency-key: k1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.admin,
        body.len()
    );
    let mut connection = TcpStream::connect(&host).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    // The head has arrived when another connection, which came later, was answered.
    server.get("/healthz").send().await;
    server.ask_to_stop();
    let mut refused = false;
    for _ in 0..1_000 {
        refused = TcpStream::connect(&host).await.is_err();
        if refused {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(refused, "no new connection is taken");
    connection.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    server.stop().await;
}
