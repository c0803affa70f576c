//! How does a command get to the instance that writes its account? This one passes it on, as it came.
//!
//! It is passed on once, and executed here if the other instance does not answer in time. Both may then execute it: the
//! idempotency key sees to it that it takes effect once, and is answered the same. A refusal is not remembered by its
//! key, so nobody is told that a command is refused while the other instance may still execute it; and the other one
//! drops it when its time is over.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts, uri::PathAndQuery,
    },
};
use bytes::{Bytes, BytesMut};
use chrono::TimeDelta;

use crate::{
    domain::{ids::AccountId, time::Timestamp},
    instances::Instance,
    ledger::ExecuteError,
};

use super::{
    AppState,
    failure::Failure,
    request::RequestId,
    response::{LAG_MS, POSITION},
};

/// On a request that was passed on: the id that the first instance gave it. On an answer: [`LATE`].
pub const PASSED_ON: HeaderName = HeaderName::from_static("counterfoil-passed-on");
/// Until when it may be executed, in microseconds since 1970.
const UNTIL: HeaderName = HeaderName::from_static("counterfoil-passed-on-until");
/// The answer to a request that came too late, and was not executed.
const LATE: HeaderValue = HeaderValue::from_static("late");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long a connection to another instance may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(50);
/// How long another instance may take to answer, before the command is executed here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest answer, in bytes: to a batch of a thousand commands.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Headers that are about one connection, or about who is at the other end of it.
const NOT_PASSED_ON: [HeaderName; 9] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
    header::TE,
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
];
/// What is taken over of an answer.
const TAKEN_OVER: [HeaderName; 6] =
    [header::CONTENT_TYPE, header::RETRY_AFTER, header::WWW_AUTHENTICATE, REPLAYED, POSITION, LAG_MS];

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

/// What became of a request that was passed on.
pub enum Passed {
    Answered(OthersAnswer),
    /// The other instance has not executed it, and will not.
    NotTaken,
    /// The other instance may execute it yet.
    Unknown,
}

/// Why there is no answer.
enum NoAnswer {
    Lost(reqwest::Error),
    /// It was too late there.
    Late,
    /// Somebody else answered, or too much.
    Strange,
}

/// Until when a request that was passed on may be executed. `None`: it comes from the caller.
#[must_use]
pub fn until(headers: &HeaderMap) -> Option<Timestamp> {
    let micros = headers.get(UNTIL)?.to_str().ok()?.parse().ok()?;
    Timestamp::from_micros(micros)
}

/// The answer to a request whose time was over when it came: who passed it on executes it.
pub fn late() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(PASSED_ON, LATE);
    response
}

/// What a caller is told of a command that another instance may execute yet, if it is refused here.
///
/// # Errors
/// Those of the command, but for refusals, which may not hold.
pub fn not_final<T>(answer: Result<T, Failure>) -> Result<T, Failure> {
    answer.map_err(|failure| {
        if failure.status().is_client_error() { ExecuteError::OutcomeUnknown.into() } else { failure }
    })
}

impl Passable<'_> {
    /// The instance that this request is better sent to. `None`: it is executed here.
    pub fn writer(self, account: &AccountId) -> Option<Arc<Instance>> {
        if self.parts.headers.contains_key(PASSED_ON) {
            return None;
        }
        let shard = self.state.ledger.shard_of(account);
        self.state.instances.elsewhere(shard).filter(|writer| writer.may_be_asked())
    }

    /// Sends it to another instance, and waits for the answer.
    pub async fn pass_on(self, to: &Instance, body: Bytes) -> Passed {
        let answered = self.answer(to, body).await;
        let outcome = if answered.is_ok() { "answered" } else { "not_answered" };
        metrics::counter!("counterfoil_passed_on_total", "outcome" => outcome).increment(1);
        match answered {
            Ok(answer) => {
                to.answered();
                Passed::Answered(answer)
            }
            Err(NoAnswer::Late) => Passed::NotTaken,
            Err(NoAnswer::Strange) => {
                to.avoid();
                tracing::warn!(to = to.address, "it is no instance of this ledger that answers there");
                Passed::Unknown
            }
            Err(NoAnswer::Lost(error)) => {
                to.avoid();
                let is_sent = !error.is_connect();
                let error = &error as &dyn std::error::Error;
                tracing::warn!(to = to.address, error, "another instance does not answer");
                if is_sent { Passed::Unknown } else { Passed::NotTaken }
            }
        }
    }

    async fn answer(self, to: &Instance, body: Bytes) -> Result<OthersAnswer, NoAnswer> {
        let Parts { method, uri, headers, .. } = self.parts;
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut passed = headers.clone();
        for name in NOT_PASSED_ON {
            passed.remove(name);
        }
        let until = self.state.ledger.clock().now().plus(TimeDelta::seconds(1)).micros();
        passed.insert(UNTIL, HeaderValue::from(until));
        if let Ok(id) = HeaderValue::from_str(self.request_id.as_str()) {
            passed.insert(PASSED_ON, id);
        }
        let request = self.state.others.request(method.clone(), format!("{}{path}", to.address));
        let mut answer = request.headers(passed).body(body).send().await.map_err(NoAnswer::Lost)?;
        if answer.headers().get(PASSED_ON) == Some(&LATE) {
            return Err(NoAnswer::Late);
        }
        let id = answer.headers().get(REQUEST_ID).map(HeaderValue::as_bytes);
        if id != Some(self.request_id.as_str().as_bytes()) {
            return Err(NoAnswer::Strange);
        }
        let status = answer.status();
        let mut headers = HeaderMap::new();
        for name in TAKEN_OVER {
            if let Some(value) = answer.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(NoAnswer::Lost)? {
            if body.len().saturating_add(part.len()) > ANSWER_BYTES_MAX {
                return Err(NoAnswer::Strange);
            }
            body.extend_from_slice(&part);
        }
        Ok(OthersAnswer { status, headers, body: body.freeze() })
    }
}
