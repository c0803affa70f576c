//! An endpoint that remembers what was posted to it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct Received {
    pub signature: String,
    pub body: Vec<u8>,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }
}

#[derive(Clone, Default)]
struct Kept {
    received: Arc<Mutex<Vec<Received>>>,
    /// How many more are answered with 500.
    failures: Arc<Mutex<u32>>,
}

pub struct Receiver {
    address: std::net::SocketAddr,
    kept: Kept,
}

impl Receiver {
    pub async fn start() -> Self {
        let kept = Kept::default();
        let router = Router::new().route("/hook", post(take)).with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, kept }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn fail(&self, times: u32) {
        *self.kept.failures.lock().unwrap() = times;
    }

    pub fn all(&self) -> Vec<Received> {
        self.kept.received.lock().unwrap().clone()
    }

    pub fn types(&self) -> Vec<String> {
        self.all().iter().map(|received| received.event()["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until `enough` is so of what came.
    pub async fn wait(&self, what: &str, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let all = self.all();
            if enough(&all) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not come; this did: {:#?}", self.types());
    }

    /// Waits for an event with this field.
    pub async fn event(&self, name: &str, value: &str) -> Value {
        let is = |received: &Received| received.event()[name] == value;
        let all = self.wait(value, |all| all.iter().any(is)).await;
        all.iter().rev().find(|received| is(received)).map(Received::event).expect("it has come")
    }
}

async fn take(State(kept): State<Kept>, headers: HeaderMap, body: Bytes) -> axum::http::StatusCode {
    let mut failures = kept.failures.lock().unwrap();
    if *failures > 0 {
        *failures -= 1;
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    }
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    kept.received.lock().unwrap().push(Received { signature, body: body.to_vec() });
    axum::http::StatusCode::OK
}
