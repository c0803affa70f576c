//! How is Stripe asked? With a key of ours that makes a repetition harmless, a time limit, and a few more tries where
//! another may help.
//!
//! `async-stripe` knows the requests. Its own ways to retry are deliberately not used: they make up a key for each
//! call, which is lost when this program ends.

mod access;
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

/// How long one try may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited before each further try, of which there are as many.
pub const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// How patient a client is.
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

/// Something that Stripe can be asked.
pub trait StripeCall: Sync {
    /// What is read of the answer; everything else in it is passed over, so that it may change.
    type Answer: Deserialize;

    /// The request, as `async-stripe` makes it.
    fn request(&self) -> impl StripeRequest + Send;
}

/// Something that is done once under a key.
///
/// Each says whether it takes money, so that none can forget that some accounts are sold nothing.
pub trait Change: StripeCall {
    /// Whether money is taken by it, now or later, that would not be taken without it.
    fn begins_charge(&self) -> bool;
}

/// Who asks Stripe. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
    patience: Patience,
}

impl Client {
    /// # Errors
    /// When no connection could ever be made on this machine.
    pub fn new(key: &SecretKey, url: &ApiUrl, patience: Patience) -> Result<Self, reqwest::Error> {
        let transport = Transport::new(key, url, patience.timeout)?;
        Ok(Self { transport: Arc::new(transport), patience })
    }

    /// Asks for something to be done, once under `key`, however often it is asked.
    ///
    /// # Errors
    /// When Stripe says no, or nothing.
    pub async fn execute_once<A: Change>(&self, ask: &A, key: &StripeKey) -> Result<A::Answer, CallError> {
        // A key that Stripe would not take is never made: the journal of calls makes them all of one form.
        let key = IdempotencyKey::new(key.as_str()).map_err(|_| CallError::Unavailable)?;
        self.send(ask, &RequestStrategy::Idempotent(key)).await
    }

    /// Asks for what changes nothing.
    ///
    /// # Errors
    /// As [`Self::execute_once`]; but since it does no harm to ask again, nothing is ever in doubt.
    pub async fn read<A: StripeCall>(&self, ask: &A) -> Result<A::Answer, CallError> {
        let answer = self.send(ask, &RequestStrategy::Once).await;
        answer.map_err(|error| match error {
            CallError::OutcomeUnknown => CallError::Unavailable,
            CallError::Rejected(_) | CallError::KeyNotTaken | CallError::Unavailable => error,
        })
    }

    /// Sets a value or deletes something, which comes to the same however often it is done.
    ///
    /// # Errors
    /// As [`Self::execute_once`].
    pub async fn execute_idempotent<A: StripeCall>(&self, ask: &A) -> Result<A::Answer, CallError> {
        self.send(ask, &RequestStrategy::Once).await
    }

    /// A page of a list, from after an object on.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn page(&self, listing: &ListFilter, after: Option<&str>) -> Result<ObjectPage, CallError> {
        self.read(&AskPage { listing, after }).await.map(ObjectPage::from)
    }

    /// One object, whole.
    ///
    /// # Errors
    /// As [`Self::read`].
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
                // A refusal is an answer, and is kept and told.
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

/// Whoever asked is told that it has failed, and nothing of why. That is said here, once for all tries.
fn say_why(asked: &RequestBuilder, strategy: &RequestStrategy, cause: &TransportError) {
    let (method, path) = (asked.method, asked.path.as_str());
    let stripe_key = if let RequestStrategy::Idempotent(key) = strategy { Some(key.as_str()) } else { None };
    tracing::warn!(?method, path, stripe_key, %cause, "a call to Stripe has failed");
}
