//! How does one request get to Stripe, and its answer back?
//! It is sent once; whether it is sent again is decided by the client.
//!
//! `async-stripe` builds the requests, and has a trait for what sends them.
//! Its own client parses each error with all objects that may be in it, which are most objects of Stripe.
//! This one parses the four fields that are used, and says whether a connection was made.

use std::{error::Error, fmt::Display, time::Duration};

use bytes::Bytes;
use miniserde::Deserialize;
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT},
    redirect,
};
use stripe_client_core::{
    CustomizedStripeRequest, RequestStrategy, StripeClient, StripeClientErr, StripeMethod,
};

use super::{
    ApiUrl, SecretKey,
    answer::{self, AnswerFault},
};

/// Stripe's API version, for which the requests are generated and in which the answers are read.
const API_VERSION: stripe_shared::ApiVersion = stripe_shared::version::VERSION;

/// Sends requests to one Stripe account.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    url: ApiUrl,
    authorization: HeaderValue,
}

/// Why there is no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// Stripe refused the request.
    #[error("it answered {}, {}", status.as_u16(), error.kind)]
    Refused { status: StatusCode, error: StripeErrorDocument },
    /// Nothing was sent.
    #[error("there is no connection: {0}")]
    NotConnected(String),
    #[error("there was no answer in time")]
    TimedOut,
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The answer is not from Stripe, or has a form that is not known here.
    #[error("its answer cannot be read")]
    Unreadable,
}

/// What is read of an error. Its message is ignored, since it may repeat what a person entered.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StripeErrorDocument {
    #[serde(rename = "type")]
    pub kind: String,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub param: Option<String>,
}

#[derive(Deserialize)]
struct ErrorEnvelope {
    error: StripeErrorDocument,
}

impl Transport {
    /// # Errors
    /// If no connection can be made from this machine, since TLS cannot be set up.
    pub fn new(key: &SecretKey, url: &ApiUrl, timeout: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // If Stripe has closed a connection meanwhile, it is not known whether it read the request.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, url: url.clone(), authorization: key.authorization() })
    }

    async fn send(&self, request: CustomizedStripeRequest) -> Result<(StatusCode, Bytes), TransportError> {
        let (request, settings) = request.into_pieces();
        let mut url = format!("{}v1{}", self.url.base(), request.path);
        if let Some(query) = &request.query {
            url.push('?');
            url.push_str(query);
        }
        let method = match request.method {
            StripeMethod::Get => Method::GET,
            StripeMethod::Post => Method::POST,
            StripeMethod::Delete => Method::DELETE,
        };
        let mut sent = self
            .http
            .request(method, url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, concat!("counterfoil/", env!("CARGO_PKG_VERSION")))
            .header("stripe-version", API_VERSION.as_str());
        if let Some(RequestStrategy::Idempotent(key)) = settings.request_strategy {
            sent = sent.header("idempotency-key", key.into_inner());
        }
        if let Some(body) = request.body {
            sent = sent.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let answer = sent.send().await?;
        let status = answer.status();
        Ok((status, answer::read(answer).await?))
    }
}

impl StripeClient for Transport {
    type Err = TransportError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, TransportError> {
        let (status, body) = self.send(request).await?;
        if status.is_success() {
            return Ok(body);
        }
        let error = str::from_utf8(&body).ok().and_then(|text| miniserde::json::from_str(text).ok());
        let ErrorEnvelope { error } = error.ok_or(TransportError::Unreadable)?;
        Err(TransportError::Refused { status, error })
    }
}

impl StripeClientErr for TransportError {
    fn deserialize_err(_: impl Display) -> Self {
        Self::Unreadable
    }
}

impl From<AnswerFault> for TransportError {
    fn from(fault: AnswerFault) -> Self {
        match fault {
            AnswerFault::Lost(error) => error.into(),
            AnswerFault::Unsound => Self::Unreadable,
        }
    }
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::TimedOut;
        }
        let cause = innermost(&error);
        // A request that could not be built was not sent either.
        if error.is_connect() || error.is_builder() { Self::NotConnected(cause) } else { Self::Lost(cause) }
    }
}

/// The innermost cause. The others contain the URL, which may contain the id of a customer.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if std::ptr::addr_eq(cause, error) {
        "the request could not be sent".to_owned()
    } else {
        cause.to_string()
    }
}
