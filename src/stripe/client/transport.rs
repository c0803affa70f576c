//! How does one request get to Stripe, and its answer back? Once; whether there is another try is decided above.
//!
//! `async-stripe` makes the requests, and leaves open who sends them. Its own client reads every error whole, and with
//! it half of all objects of Stripe; this one reads the few members that are used, and says whether a connection was
//! ever made.

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

use super::{ApiUrl, SecretKey};

/// The version in which answers are read, that of the generated requests.
const API_VERSION: stripe_shared::ApiVersion = stripe_shared::version::VERSION;

/// The connection to one account of Stripe's.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    url: ApiUrl,
    authorization: HeaderValue,
}

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// Stripe said no.
    #[error("it answered {}, {}", status.as_u16(), error.kind)]
    Refused { status: StatusCode, error: StripeErrorDocument },
    /// Nothing was sent.
    #[error("there is no connection: {0}")]
    NotConnected(String),
    #[error("there was no answer in time")]
    TimedOut,
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// It is no answer of Stripe's, or has another form than ours.
    #[error("its answer cannot be read")]
    Unreadable,
}

/// What is read of an error. Its sentence for people may repeat what a person typed in, and is passed over.
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
    /// When no connection could ever be made on this machine, since TLS cannot be set up.
    pub fn new(key: &SecretKey, url: &ApiUrl, timeout: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // A connection that Stripe closed meanwhile would leave open whether a request was read.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, url: url.clone(), authorization: key.authorization() })
    }

    async fn send(&self, request: CustomizedStripeRequest) -> Result<(StatusCode, Bytes), reqwest::Error> {
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
        Ok((status, answer.bytes().await?))
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

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::TimedOut;
        }
        let cause = innermost(&error);
        // Neither does a request leave that could not be built.
        if error.is_connect() || error.is_builder() { Self::NotConnected(cause) } else { Self::Lost(cause) }
    }
}

/// The last of the causes. Those above it say the address, in which ids of customers are.
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
