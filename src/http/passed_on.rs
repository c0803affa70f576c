//! How does a command get to the instance that writes its account? This one passes it on, as it came.
//!
//! It is passed on once, and executed here if the other instance does not answer in time. Both may then execute it: the
//! idempotency key sees to it that it takes effect once, and is answered the same.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts, uri::PathAndQuery,
    },
};
use bytes::Bytes;

use crate::{domain::ids::AccountId, instances::Instance};

use super::{AppState, request::RequestId};

/// On a request that was passed on: the id that the first instance gave it.
pub const PASSED_ON: HeaderName = HeaderName::from_static("counterfoil-passed-on");
/// How long a connection to another instance may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(50);
/// How long another instance may take to answer, before the command is executed here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Headers that are about one connection.
const OF_A_CONNECTION: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
    header::TE,
];

/// A client for other instances.
///
/// # Errors
/// If it cannot be made.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// A request that may be better executed by another instance.
#[derive(Clone, Copy)]
pub struct Passable<'a> {
    pub state: &'a AppState,
    pub parts: &'a Parts,
    pub request_id: &'a RequestId,
}

/// What another instance answered.
pub struct OthersAnswer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Bytes,
}

impl OthersAnswer {
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl Passable<'_> {
    /// The instance that this request is better sent to. `None`: it is executed here.
    pub fn writer(self, account: &AccountId) -> Option<Arc<Instance>> {
        let was_passed_on = self.parts.headers.contains_key(PASSED_ON);
        if was_passed_on { None } else { self.state.instances.elsewhere(self.state.ledger.shard_of(account)) }
    }

    /// The answer of another instance. `None`: it has not answered in time.
    pub async fn pass_on(self, to: &Instance, body: Bytes) -> Option<OthersAnswer> {
        let answered = self.answer(to, body).await;
        let outcome = if answered.is_ok() { "answered" } else { "not_answered" };
        metrics::counter!("counterfoil_passed_on_total", "outcome" => outcome).increment(1);
        answered
            .inspect_err(|error| {
                to.avoid();
                let error = error as &dyn std::error::Error;
                tracing::warn!(to = to.address, error, "another instance does not answer");
            })
            .ok()
    }

    async fn answer(self, to: &Instance, body: Bytes) -> Result<OthersAnswer, reqwest::Error> {
        let Parts { method, uri, headers, .. } = self.parts;
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut passed = without_connection(headers);
        if let Ok(id) = HeaderValue::from_str(self.request_id.as_str()) {
            passed.insert(PASSED_ON, id);
        }
        let request = self.state.others.request(method.clone(), format!("{}{path}", to.address));
        let answer = request.headers(passed).body(body).send().await?;
        let (status, headers) = (answer.status(), without_connection(answer.headers()));
        Ok(OthersAnswer { status, headers, body: answer.bytes().await? })
    }
}

fn without_connection(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}
