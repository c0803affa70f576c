//! How does an account get to pay? Pages at Stripe are opened for it, payments made and subscriptions changed, once for
//! each request; what comes of that is told by webhooks: nothing is granted here.

mod amend;
mod checkout;
mod customer;
mod glance;
mod invoices;
mod methods;
mod noted;
mod once;
mod payments;
mod portal;
mod preview;
mod profile;
mod resolve;
mod schedule;
mod second;
mod several;
mod subscribe;
mod turns;
mod wares;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

pub use amend::{Amend, Wanted, held};
pub use checkout::{Checkout, Opened};
pub use glance::{GLANCE_WAIT, Glance, Untold};
pub use methods::{ATTACH_METHOD, AttachOrder, DETACH_METHOD, Method, MethodPage};
pub use noted::Amended;
pub use payments::{
    CANCEL_PAYMENT, CAPTURE_PAYMENT, CONFIRM_PAYMENT, Confirmation, MAKE_PAYMENT, MAKE_REFUND, PaymentOf,
    PaymentOrder, PaymentPage, Unauthenticated,
};
pub use portal::{Chosen, Portal};
pub use preview::{ChangePreview, InvoicePreview, LinePreview};
pub use profile::Became;
pub use resolve::{RESOLVE_INTERVAL, Resolved};
pub use schedule::Pending;
pub use subscribe::Subscribe;
pub use wares::Made;

use super::{
    calls::{Asking, Begun, CallId, Calls, CallsError, Kept, Outcome},
    client::{Ask, CallError, Change, Client, Rejection},
    inbox::links::CustomerLinks,
};
use crate::{
    domain::{
        names::{AccountId, Actor, ProviderId},
        refusal::Refusal,
        rollout::{BillingState, Reach, Rollout},
        time::Timestamp,
    },
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

/// What the operator says of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For which accounts it is on.
    pub rollout: Rollout,
    /// What the portal offers; `None`: what the Stripe account has by default.
    pub portal: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rollout: Rollout::everybody(), portal: None }
    }
}

/// What asks Stripe on behalf of accounts. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<Parts>);

struct Parts {
    switch: Switch,
    calls: Calls,
    links: CustomerLinks,
    ledger: Ledger,
    settings: Settings,
}

/// What was answered, and whether it was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<A> {
    pub answer: A,
    pub replayed: bool,
}

/// What was looked for at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    PaymentMethod,
    /// What invoices are paid with, where none was named.
    PreferredMethod,
    Payment,
}

/// Where a list at Stripe goes on, and how much of it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: u8,
    pub after: Option<ProviderId>,
}

/// Why it was not done, or is not known to be.
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
    /// The bank said no, for want of the person's word.
    #[error("the person was not asked")]
    Unauthenticated(Box<Unauthenticated>),
    /// At Stripe, or not of this account.
    #[error("there is none: {0:?}")]
    NotFound(Sought),
    #[error("the payment method is another customer's")]
    MethodTaken,
    /// By a product or price that is not the same.
    #[error("the name is taken at Stripe")]
    NameTaken,
    #[error("the list has no such place")]
    CursorUnknown,
    /// Nothing happened.
    #[error("Stripe does not take requests now")]
    Unavailable,
    /// It may have happened. The same request with the same key will tell.
    #[error("whether Stripe did it is not known")]
    OutcomeUnknown,
    /// It may have happened, and Stripe does not know the key any more.
    #[error("whether Stripe did it was not found out in time")]
    OutcomeLost,
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
        Self::with(switch, pool, ledger, Settings::default())
    }

    #[must_use]
    pub fn with(switch: Switch, pool: PgPool, ledger: Ledger, settings: Settings) -> Self {
        let (calls, links) = (Calls::new(pool.clone()), CustomerLinks::new(pool));
        Self(Arc::new(Parts { switch, calls, links, ledger, settings }))
    }

    /// Whether anything is sold to this account. The one place that decides it: the rules are told, and so is whoever is shown
    /// what is for sale.
    #[must_use]
    pub fn state_of(&self, account: &AccountId) -> BillingState {
        match &self.0.switch {
            Switch::Off => BillingState::Off,
            Switch::On(_) | Switch::NotConfigured => self.0.settings.rollout.state_of(account),
        }
    }

    /// Whether anything is sold at all.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match &self.0.switch {
            Switch::Off => Reach::Off,
            Switch::On(_) | Switch::NotConfigured => self.0.settings.rollout.reach(),
        }
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
    async fn perform<A: Change + DeserializeOwned>(
        &self,
        id: &CallId,
        kept: Kept<A, A::Answer>,
    ) -> Result<Answered<A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        if let Some(settled) = settled(kept.outcome)? {
            return Ok(settled);
        }
        let Some(asking) = self.asking(id, &kept.request, kept.asked_before).await? else {
            return self.settled_meanwhile::<A>(id).await;
        };
        let answer = self.client()?.change(&kept.request, &kept.key).await;
        self.told(id, &asking, answer).await
    }

    /// What somebody else has found out. Stripe is not asked again: it may have forgotten the key.
    async fn settled_meanwhile<A: Ask + DeserializeOwned>(
        &self,
        id: &CallId,
    ) -> Result<Answered<A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let kept: Option<Kept<A, A::Answer>> = self.0.calls.find(id).await?;
        let settled = kept.map(|kept| settled(kept.outcome)).transpose()?;
        settled.flatten().ok_or(BillingError::OutcomeUnknown)
    }

    /// From here on it may happen at Stripe. `None`: somebody else has settled it meanwhile.
    ///
    /// Whatever takes money comes through here. What may have begun while billing was on for the account is finished.
    async fn asking(
        &self,
        id: &CallId,
        request: &impl Change,
        asked_before: bool,
    ) -> Result<Option<Asking>, BillingError> {
        if request.begins_charge() && !asked_before {
            self.state_of(&id.account).check()?;
        }
        let now = self.now();
        let asking = self.0.calls.asking(id, now).await.map_err(BillingError::Storage)?;
        if asking.as_ref().is_some_and(|asking| asking.is_too_late(now)) {
            return Err(BillingError::OutcomeLost);
        }
        Ok(asking)
    }

    /// What is known now that Stripe has answered so. That nothing has happened can only be said if it was not asked
    /// before.
    async fn told<T>(
        &self,
        id: &CallId,
        asking: &Asking,
        answer: Result<T, CallError>,
    ) -> Result<Answered<T>, BillingError> {
        match &answer {
            Ok(_) | Err(CallError::OutcomeUnknown) => {}
            Err(CallError::Rejected(rejection)) => {
                self.0.calls.rejected(id, rejection, self.now()).await?;
            }
            Err(CallError::Unavailable | CallError::KeyNotTaken) => {
                let untouched = self.0.calls.untouched(id, asking, self.now()).await;
                if !untouched.map_err(BillingError::Storage)? {
                    return Err(BillingError::OutcomeUnknown);
                }
            }
        }
        Ok(Answered { answer: answer?, replayed: false })
    }

    /// Writes down what is asked for, and by whom where that is to be told, unless that was done in the meantime, and
    /// returns what holds.
    async fn begin<A: Ask + Serialize + DeserializeOwned>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        request: A,
        by: Option<&Actor>,
    ) -> Result<Kept<A, A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let begun = Begun { at: self.now(), by: by.cloned() };
        let is_new = self.0.calls.begin(id, asked, &request, &begun).await?;
        let taken = if is_new { None } else { self.find(id, asked).await? };
        Ok(taken.unwrap_or_else(|| Kept {
            key: id.stripe_key(),
            asked: *asked,
            request,
            outcome: Outcome::Open,
            asked_before: false,
            begun,
        }))
    }
}

/// What came of a call, if that is known.
fn settled<A>(outcome: Outcome<A>) -> Result<Option<Answered<A>>, BillingError> {
    match outcome {
        Outcome::Open => Ok(None),
        Outcome::Done(answer) => Ok(Some(Answered { answer, replayed: true })),
        Outcome::Rejected(rejection) => Err(BillingError::Rejected(rejection)),
        Outcome::Lost => Err(BillingError::OutcomeLost),
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
                tracing::error!(
                    "Stripe does not take the key, or the key lacks a right; docs/STRIPE.md names those of STRIPE_SECRET_KEY"
                );
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
            | ExecuteError::ClockBehind { .. }
            | ExecuteError::Damaged => Self::Execute(error),
        }
    }
}
