//! How is Stripe called?
//! With a key that makes repetitions harmless, with a time limit, and with a few retries if they may help.
//!
//! `async-stripe` has the requests.
//! Its own retries are deliberately not used: they generate a new key for each call, which is lost when this program
//! ends.

mod access;
mod answer;
mod date;
pub mod declines;
mod outcome;
mod requests;
mod transport;

use std::{sync::Arc, time::Duration};

use miniserde::Deserialize;
use stripe_client_core::{IdempotencyKey, RequestBuilder, RequestStrategy, StripeRequest};
use tokio::time::sleep;

pub use access::{API_URL_DEFAULT, ApiUrl, InvalidApiUrl, InvalidSecretKey, SecretKey};
pub use outcome::{CallError, Rejection, is_missing};
pub use requests::*;
use transport::{Transport, TransportError};

use super::documents::StripeKey;

/// How long one attempt may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// The pauses before further attempts.
pub const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// How long the client waits and how often it retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    pub timeout: Duration,
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout: TIMEOUT, pauses: PAUSES.to_vec() }
    }
}

/// A request to Stripe.
pub trait StripeCall: Sync {
    /// The part of the answer that is read; everything else is ignored, so that it may change.
    type Answer: Deserialize;

    /// The request, in `async-stripe`'s form.
    fn request(&self) -> impl StripeRequest + Send;
}

/// A request that is carried out once for its key.
///
/// Each says whether it takes money, so that no request can ignore that billing may be off for an account.
pub trait Change: StripeCall {
    /// Whether it takes money, now or later, that would not be taken otherwise.
    fn begins_charge(&self) -> bool;
}

/// Calls Stripe. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
    patience: Patience,
}

impl Client {
    /// # Errors
    /// If no connection can be made from this machine, since TLS cannot be set up.
    pub fn new(key: &SecretKey, url: &ApiUrl, patience: Patience) -> Result<Self, reqwest::Error> {
        let transport = Transport::new(key, url, patience.timeout)?;
        Ok(Self { transport: Arc::new(transport), patience })
    }

    /// Sends a change, which is made once for `key`, however often it is sent.
    ///
    /// # Errors
    /// If Stripe refuses, or does not answer.
    pub async fn execute_once<A: Change>(&self, ask: &A, key: &StripeKey) -> Result<A::Answer, CallError> {
        // Stripe accepts all keys that [`StripeKey`](super::documents::StripeKey) can have, so this cannot happen.
        let key = IdempotencyKey::new(key.as_str()).map_err(|_| CallError::Unavailable)?;
        self.send(ask, &RequestStrategy::Idempotent(key)).await
    }

    /// Sends a request that changes nothing.
    ///
    /// # Errors
    /// Like [`Self::execute_once`], except that the outcome is never unknown, since repeating is harmless.
    pub async fn read<A: StripeCall>(&self, ask: &A) -> Result<A::Answer, CallError> {
        let answer = self.send(ask, &RequestStrategy::Once).await;
        answer.map_err(|error| match error {
            CallError::OutcomeUnknown => CallError::Unavailable,
            CallError::Rejected(_) | CallError::KeyNotTaken | CallError::Unavailable => error,
        })
    }

    /// Sets a value or deletes something, which has the same result however often it is sent.
    ///
    /// # Errors
    /// Like [`Self::execute_once`].
    pub async fn execute_idempotent<A: StripeCall>(&self, ask: &A) -> Result<A::Answer, CallError> {
        self.send(ask, &RequestStrategy::Once).await
    }

    /// A page of a list, after the object `after`.
    ///
    /// # Errors
    /// Like [`Self::read`].
    pub async fn page(&self, listing: &ListFilter, after: Option<&str>) -> Result<ObjectPage, CallError> {
        let page = self.read(&AskPage { listing, after }).await.map(ObjectPage::from)?;
        // A list that goes on where it began would be read for ever.
        if page.next.is_some() && page.next.as_deref() == after {
            return Err(CallError::Unavailable);
        }
        Ok(page)
    }

    /// One complete object.
    ///
    /// # Errors
    /// Like [`Self::read`].
    pub async fn object(&self, object: &AskObject<'_>) -> Result<serde_json::Value, CallError> {
        self.read(object).await.map(plain)
    }

    async fn send<A: StripeCall>(&self, ask: &A, strategy: &RequestStrategy) -> Result<A::Answer, CallError> {
        let mut earlier = None;
        let mut pauses = self.patience.pauses.iter();
        loop {
            let request = ask.request().build().customize::<A::Answer>();
            let failed = match request.request_strategy(strategy.clone()).send(self.transport.as_ref()).await
            {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let error = CallError::of(&failed).after(earlier.as_ref());
            let Some(pause) = pauses.next().filter(|_| error.may_pass()) else {
                // A refusal is an answer, which is stored and returned.
                if error.rejection().is_none() {
                    say_why(&ask.request().build(), strategy, &failed);
                }
                return Err(error);
            };
            earlier = Some(error);
            sleep(*pause).await;
        }
    }
}

/// Logs why a call has failed, once for all attempts. The caller is not told why.
fn say_why(asked: &RequestBuilder, strategy: &RequestStrategy, cause: &TransportError) {
    let (method, path) = (asked.method, asked.path.as_str());
    let stripe_key = if let RequestStrategy::Idempotent(key) = strategy { Some(key.as_str()) } else { None };
    tracing::warn!(?method, path, stripe_key, %cause, "a call to Stripe has failed");
}
