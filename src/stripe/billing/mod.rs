//! How does an account get to pay? Pages at Stripe are opened for it, once for each request, and what comes of them is
//! told by webhooks: nothing is granted here.

mod checkout;
mod customer;
mod portal;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

pub use checkout::{Checkout, Opened};
pub use portal::Portal;

use super::{
    calls::{CallId, Calls, CallsError, Kept, Outcome},
    client::{Ask, CallError, Client, Rejection},
};
use crate::{
    domain::{refusal::Refusal, time::Timestamp},
    ledger::{ExecuteError, Ledger, ViewError},
};

/// Whether anything is asked of Stripe.
#[derive(Clone, Debug)]
pub enum Switch {
    On(Client),
    /// By the operator, or by the catalog.
    Off,
    /// There is no key.
    NotConfigured,
}

impl Switch {
    /// Whom to ask, if anybody is asked.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match self {
            Self::On(client) => Some(client),
            Self::Off | Self::NotConfigured => None,
        }
    }
}

/// What opens pages at Stripe. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<Parts>);

struct Parts {
    switch: Switch,
    calls: Calls,
    pool: PgPool,
    ledger: Ledger,
}

/// What was answered, and whether it was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<A> {
    pub answer: A,
    pub replayed: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    #[error("billing is switched off")]
    Off,
    #[error("there is no key that Stripe takes")]
    NotConfigured,
    /// The rules do not allow it. Stripe was not asked.
    #[error("it was refused")]
    Refused(Refusal),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("too many were begun lately")]
    TooMany { wait_s: u64 },
    #[error("Stripe refused it")]
    Rejected(Rejection),
    /// Nothing happened.
    #[error("Stripe does not take requests now")]
    Unavailable,
    /// It may have happened. The same request with the same key will tell.
    #[error("whether Stripe did it is not known")]
    OutcomeUnknown,
    /// Stripe has done it, and the ledger did not take note. The same request with the same key will complete it.
    #[error("the ledger took no note of it")]
    Execute(ExecuteError),
    #[error("the account cannot be read")]
    View(#[from] ViewError),
    #[error("the database does not answer")]
    Storage(#[source] sqlx::Error),
    #[error("what is written down of an earlier call cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl Billing {
    #[must_use]
    pub fn new(switch: Switch, pool: PgPool, ledger: Ledger) -> Self {
        Self(Arc::new(Parts { switch, calls: Calls::new(pool.clone()), pool, ledger }))
    }

    fn client(&self) -> Result<&Client, BillingError> {
        match &self.0.switch {
            Switch::On(client) => Ok(client),
            Switch::Off => Err(BillingError::Off),
            Switch::NotConfigured => Err(BillingError::NotConfigured),
        }
    }

    fn now(&self) -> Timestamp {
        self.0.ledger.clock().now()
    }

    /// An earlier call with this id, if it was for the same.
    async fn find<A: Ask + DeserializeOwned>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
    ) -> Result<Option<Kept<A, A::Answer>>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let kept: Option<Kept<A, A::Answer>> = self.0.calls.find(id).await?;
        match kept {
            Some(kept) if kept.asked != *asked => Err(BillingError::KeyReused),
            kept => Ok(kept),
        }
    }

    /// Asks Stripe for what is written down. A refusal is written down too; an answer is for the caller to write, when
    /// all that belongs to it is done.
    async fn perform<A: Ask>(
        &self,
        id: &CallId,
        kept: Kept<A, A::Answer>,
    ) -> Result<Answered<A::Answer>, BillingError> {
        match kept.outcome {
            Outcome::Done(answer) => return Ok(Answered { answer, replayed: true }),
            Outcome::Rejected(rejection) => return Err(BillingError::Rejected(rejection)),
            Outcome::Open => {}
        }
        let answer = self.client()?.change(&kept.request, &kept.key).await;
        if let Err(CallError::Rejected(rejection)) = &answer {
            self.0.calls.rejected(id, rejection, self.now()).await?;
        }
        Ok(Answered { answer: answer?, replayed: false })
    }

    /// Writes down what is asked for, unless that was done in the meantime, and returns what holds.
    async fn begin<A: Ask + Serialize + DeserializeOwned>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        request: A,
    ) -> Result<Kept<A, A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let begun = self.0.calls.begin(id, asked, &request, self.now()).await?;
        let taken = if begun { None } else { self.find(id, asked).await? };
        Ok(taken.unwrap_or_else(|| Kept {
            key: id.stripe_key(),
            asked: *asked,
            request,
            outcome: Outcome::Open,
        }))
    }
}

/// What a request is compared with its repetition by.
fn hash(asked: &impl Serialize) -> [u8; 32] {
    // Requests are plain data: writing them as JSON cannot fail.
    Sha256::digest(serde_json::to_vec(asked).unwrap_or_default()).into()
}

impl From<CallError> for BillingError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(rejection) => Self::Rejected(rejection),
            CallError::KeyNotTaken => {
                tracing::error!("Stripe does not take the key; STRIPE_SECRET_KEY has to be replaced");
                Self::NotConfigured
            }
            CallError::Unavailable => Self::Unavailable,
            CallError::OutcomeUnknown => Self::OutcomeUnknown,
        }
    }
}

impl From<CallsError> for BillingError {
    fn from(error: CallsError) -> Self {
        match error {
            CallsError::Storage(error) => Self::Storage(error),
            CallsError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}

impl From<Refusal> for BillingError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ExecuteError> for BillingError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refusal) => Self::Refused(refusal),
            ExecuteError::KeyReused
            | ExecuteError::Overloaded
            | ExecuteError::Unavailable
            | ExecuteError::OutcomeUnknown
            | ExecuteError::Damaged => Self::Execute(error),
        }
    }
}
