//! What does each way in which a call to Stripe can end mean? Said by a server that answers one request, and ends.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use counterfoil::stripe::client::{
    ApiUrl, AskObject, CallError, Client, ListFilter, Patience, Rejection, SecretKey,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

const TIMEOUT: Duration = Duration::from_millis(300);

/// Answers one request with these bytes, or never, and hands over the request.
async fn answering(answer: Option<String>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let length = connection.read(&mut request).await.unwrap();
        match answer {
            Some(answer) => connection.write_all(answer.as_bytes()).await.unwrap(),
            None => tokio::time::sleep(10 * TIMEOUT).await,
        }
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (address, served)
}

fn http(status: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\nlocation: /elsewhere\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

fn client(address: SocketAddr) -> Client {
    let url = ApiUrl::parse(&format!("http://{address}")).unwrap();
    let patience = Patience { timeout: TIMEOUT, pauses: Vec::new() };
    Client::new(&SecretKey::parse("sk_test_of_this_test").unwrap(), &url, patience).unwrap()
}

async fn ask(address: SocketAddr) -> Result<(), CallError> {
    let client = client(address);
    let object = AskObject { path: "/coupons/HALF".to_owned(), expand: &["applies_to"] };
    client.execute_idempotent(&object).await.map(|_| ())
}

async fn outcome(answer: Option<String>) -> Result<(), CallError> {
    let (address, _served) = answering(answer).await;
    ask(address).await
}

fn error(kind: &str) -> String {
    format!(r#"{{"error":{{"type":"{kind}","message":"not for logs"}}}}"#)
}

#[tokio::test]
async fn a_request_says_who_asks_in_which_version_and_what() {
    let (address, served) = answering(http("200 OK", r#"{"id":"HALF"}"#)).await;
    ask(address).await.unwrap();
    let request = served.await.unwrap();
    assert!(request.starts_with("GET /v1/coupons/HALF?expand[0]=applies_to HTTP/1.1\r\n"), "{request}");
    for line in
        ["authorization: Bearer sk_test_of_this_test", "user-agent: counterfoil/", "stripe-version: 20"]
    {
        assert!(request.contains(&format!("\r\n{line}")), "{line} in {request}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_from_what_may_have_happened() {
    let rejected = |kind: &str, declined| {
        let (kind, code, decline_code, parameter) = (kind.to_owned(), None, None, None);
        Err(CallError::Rejected(Rejection { kind, code, decline_code, parameter, declined }))
    };
    let told = [
        ("400 Bad Request", error("invalid_request_error"), rejected("invalid_request_error", false)),
        ("402 Payment Required", error("card_error"), rejected("card_error", true)),
        ("404 Not Found", error("a_type_of_tomorrow"), rejected("a_type_of_tomorrow", false)),
        ("400 Bad Request", error("idempotency_error"), Err(CallError::OutcomeUnknown)),
        ("401 Unauthorized", error("invalid_request_error"), Err(CallError::KeyNotTaken)),
        ("403 Forbidden", error("invalid_request_error"), Err(CallError::KeyNotTaken)),
        ("409 Conflict", error("invalid_request_error"), Err(CallError::OutcomeUnknown)),
        ("429 Too Many Requests", error("invalid_request_error"), Err(CallError::Unavailable)),
        ("500 Internal Server Error", error("api_error"), Err(CallError::OutcomeUnknown)),
        ("503 Service Unavailable", error("api_error"), Err(CallError::OutcomeUnknown)),
        // Somebody in between, and not Stripe.
        ("401 Unauthorized", "<html>Log in first</html>".to_owned(), Err(CallError::OutcomeUnknown)),
        ("502 Bad Gateway", "<html></html>".to_owned(), Err(CallError::OutcomeUnknown)),
        ("302 Found", String::new(), Err(CallError::OutcomeUnknown)),
        ("200 OK", "<html></html>".to_owned(), Err(CallError::OutcomeUnknown)),
        ("200 OK", "{\"id\":".to_owned(), Err(CallError::OutcomeUnknown)),
        // What would end the program or could not be stored.
        ("200 OK", format!("{{\"id\":{}", "[".repeat(200_000)), Err(CallError::OutcomeUnknown)),
        ("200 OK", "{\"id\":\"HALF\\u0000\"}".to_owned(), Err(CallError::OutcomeUnknown)),
        ("200 OK", " ".repeat(17 << 20), Err(CallError::OutcomeUnknown)),
        (
            "402 Payment Required",
            format!("{{\"error\":{}", "{\"a\":".repeat(200_000)),
            Err(CallError::OutcomeUnknown),
        ),
    ];
    for (status, body, meant) in told {
        assert_eq!(outcome(http(status, &body)).await, meant, "{status} {body}");
    }
}

#[tokio::test]
async fn an_error_is_read_whatever_else_is_in_it() {
    let body = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","param":"source",
        "payment_intent":{"id":7,"status":"a_status_of_tomorrow"},"charge":null,"doc_url":[]}}"#;
    let Err(CallError::Rejected(rejection)) = outcome(http("402 Payment Required", body)).await else {
        panic!()
    };
    assert_eq!(rejection.code.as_deref(), Some("card_declined"));
    assert_eq!(rejection.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(rejection.parameter.as_deref(), Some("source"));
}

#[tokio::test]
async fn only_without_a_connection_is_it_certain_that_nothing_happened() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(ask(closed).await, Err(CallError::Unavailable));

    let cut_short = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"id\":".to_owned();
    for lost in [String::new(), "HTTP/1.1 200".to_owned(), cut_short, "no HTTP".to_owned()] {
        assert_eq!(outcome(Some(lost.clone())).await, Err(CallError::OutcomeUnknown), "{lost:?}");
    }

    let asked = Instant::now();
    assert_eq!(outcome(None).await, Err(CallError::OutcomeUnknown));
    assert!(asked.elapsed() < 9 * TIMEOUT, "{:?}", asked.elapsed());
}

/// A list would be read for ever if what is in between answered each page with the first one.
#[tokio::test]
async fn a_page_that_ends_where_it_began_is_no_page() {
    let listing = ListFilter::PaymentsOf { invoice: "in_1".to_owned() };
    let page = r#"{"data":[{"id":"pay_1"}],"has_more":true}"#;
    let (address, _first) = answering(http("200 OK", page)).await;
    let first = client(address).page(&listing, None).await.unwrap();
    assert_eq!(first.next.as_deref(), Some("pay_1"));
    let (address, _again) = answering(http("200 OK", page)).await;
    let again = client(address).page(&listing, first.next.as_deref()).await;
    assert_eq!(again.err(), Some(CallError::Unavailable));
}
