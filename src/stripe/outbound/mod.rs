//! How does an account get to pay? Pages at Stripe are opened for it, payments made and subscriptions changed, once for
//! each request; what comes of that is told by webhooks: nothing is granted here.

mod across_customers;
mod call_turns;
mod change_notes;
mod checkout;
mod customer;
mod customer_details;
mod duplicate_subscription;
mod idempotent_call;
mod invoices;
mod overview;
mod payment_methods;
mod payments;
mod portal;
mod preview;
mod products;
mod resolve;
mod schedule;
mod subscribe;
mod subscription_change;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

pub use change_notes::Amended;
pub use checkout::{Checkout, OpenedSession};
pub use customer_details::LinkedCustomer;
pub use overview::{GLANCE_WAIT, Glance, UntoldReason};
pub use payment_methods::{AttachOrder, Method, MethodPage};
pub use payments::{Confirmation, PaymentOf, PaymentOrder, PaymentPage, Unauthenticated};
pub use portal::{Chosen, PortalRequest};
pub use preview::{ChangePreview, InvoicePreview, LinePreview};
pub use products::Created;
pub use resolve::{RESOLVE_INTERVAL, ResolvedCalls};
pub use schedule::Pending;
pub use subscribe::Subscribe;
pub use subscription_change::{Amend, AmendmentRequest, held};

use super::{
    calls::{CallAttempt, CallId, CallOutcome, CallStart, Calls, CallsError, StoredCall},
    client::{CallError, Change, Client, Rejection, StripeCall},
    inbound::accounts::customer_links::CustomerLinks,
};
use crate::{
    domain::{
        ids::{AccountId, Actor, ProviderId},
        refusal::Refusal,
        rollout::{BillingState, Reach, Rollout},
        time::Timestamp,
    },
    ledger::{ExecuteError, Ledger, ViewError},
};

/// Whether anything is asked of Stripe.
#[derive(Clone, Debug)]
pub enum BillingMode {
    On(Client),
    /// By the operator, or by the catalog.
    Off,
    /// There is no key.
    NotConfigured,
}

impl BillingMode {
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
pub struct Billing(Arc<BillingParts>);

struct BillingParts {
    switch: BillingMode,
    calls: Calls,
    links: CustomerLinks,
    ledger: Ledger,
    settings: Settings,
}

/// What was answered, and whether it was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatableAnswer<A> {
    pub answer: A,
    pub replayed: bool,
}

/// What was looked for at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    PaymentMethod,
    /// What invoices are paid with, where none was named.
    PreferredMethod,
    Payment,
}

/// Where a list at Stripe goes on, and how much of it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
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
    NotFound(ResourceKind),
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
    pub fn new(switch: BillingMode, pool: PgPool, ledger: Ledger) -> Self {
        Self::with(switch, pool, ledger, Settings::default())
    }

    #[must_use]
    pub fn with(switch: BillingMode, pool: PgPool, ledger: Ledger, settings: Settings) -> Self {
        let (calls, links) = (Calls::new(pool.clone()), CustomerLinks::new(pool));
        Self(Arc::new(BillingParts { switch, calls, links, ledger, settings }))
    }

    /// Whether anything is sold to this account. The one place that decides it: the rules are told, and so is whoever
    /// is shown what is for sale.
    #[must_use]
    pub fn state_of(&self, account: &AccountId) -> BillingState {
        match &self.0.switch {
            BillingMode::Off => BillingState::Off,
            BillingMode::On(_) | BillingMode::NotConfigured => self.0.settings.rollout.state_of(account),
        }
    }

    /// Whether anything is sold at all.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match &self.0.switch {
            BillingMode::Off => Reach::Off,
            BillingMode::On(_) | BillingMode::NotConfigured => self.0.settings.rollout.reach(),
        }
    }

    fn client(&self) -> Result<&Client, BillingError> {
        match &self.0.switch {
            BillingMode::On(client) => Ok(client),
            BillingMode::Off => Err(BillingError::Off),
            BillingMode::NotConfigured => Err(BillingError::NotConfigured),
        }
    }

    fn now(&self) -> Timestamp {
        self.0.ledger.clock().now()
    }

    /// An earlier call with this id, if it was for the same.
    async fn find<A: StripeCall + DeserializeOwned>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
    ) -> Result<Option<StoredCall<A, A::Answer>>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let kept: Option<StoredCall<A, A::Answer>> = self.0.calls.find(id).await?;
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
        kept: StoredCall<A, A::Answer>,
    ) -> Result<RepeatableAnswer<A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        if let Some(settled) = settled(kept.outcome)? {
            return Ok(settled);
        }
        let Some(asking) = self.begin_attempt(id, &kept.request, kept.asked_before).await? else {
            return self.settled_meanwhile::<A>(id).await;
        };
        let answer = self.client()?.execute_once(&kept.request, &kept.key).await;
        self.record_response(id, &asking, answer).await
    }

    /// What somebody else has found out. Stripe is not asked again: it may have forgotten the key.
    async fn settled_meanwhile<A: StripeCall + DeserializeOwned>(
        &self,
        id: &CallId,
    ) -> Result<RepeatableAnswer<A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let kept: Option<StoredCall<A, A::Answer>> = self.0.calls.find(id).await?;
        let settled = kept.map(|kept| settled(kept.outcome)).transpose()?;
        settled.flatten().ok_or(BillingError::OutcomeUnknown)
    }

    /// From here on it may happen at Stripe. `None`: somebody else has settled it meanwhile.
    ///
    /// Whatever takes money comes through here. What may have begun while billing was on for the account is finished.
    async fn begin_attempt(
        &self,
        id: &CallId,
        request: &impl Change,
        asked_before: bool,
    ) -> Result<Option<CallAttempt>, BillingError> {
        if request.begins_charge() && !asked_before {
            self.state_of(&id.account).check()?;
        }
        let now = self.now();
        let asking = self.0.calls.begin_attempt(id, now).await.map_err(BillingError::Storage)?;
        if asking.as_ref().is_some_and(|asking| asking.is_too_late(now)) {
            return Err(BillingError::OutcomeLost);
        }
        Ok(asking)
    }

    /// What is known now that Stripe has answered so. That nothing has happened can only be said if it was not asked
    /// before.
    async fn record_response<T>(
        &self,
        id: &CallId,
        asking: &CallAttempt,
        answer: Result<T, CallError>,
    ) -> Result<RepeatableAnswer<T>, BillingError> {
        match &answer {
            Ok(_) | Err(CallError::OutcomeUnknown) => {}
            Err(CallError::Rejected(rejection)) => {
                self.0.calls.rejected(id, rejection, self.now()).await?;
            }
            Err(CallError::Unavailable | CallError::KeyNotTaken) => {
                let untouched = self.0.calls.mark_not_sent(id, asking, self.now()).await;
                if !untouched.map_err(BillingError::Storage)? {
                    return Err(BillingError::OutcomeUnknown);
                }
            }
        }
        Ok(RepeatableAnswer { answer: answer?, replayed: false })
    }

    /// Writes down what is asked for, and by whom where that is to be told, unless that was done in the meantime, and
    /// returns what holds.
    async fn begin<A: StripeCall + Serialize + DeserializeOwned>(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        request: A,
        by: Option<&Actor>,
    ) -> Result<StoredCall<A, A::Answer>, BillingError>
    where
        A::Answer: DeserializeOwned,
    {
        let begun = CallStart { at: self.now(), by: by.cloned() };
        let is_new = self.0.calls.begin(id, asked, &request, &begun).await?;
        let taken = if is_new { None } else { self.find(id, asked).await? };
        Ok(taken.unwrap_or_else(|| StoredCall {
            key: id.stripe_key(),
            asked: *asked,
            request,
            outcome: CallOutcome::Open,
            asked_before: false,
            begun,
        }))
    }
}

/// What came of a call, if that is known.
fn settled<A>(outcome: CallOutcome<A>) -> Result<Option<RepeatableAnswer<A>>, BillingError> {
    match outcome {
        CallOutcome::Open => Ok(None),
        CallOutcome::Done(answer) => Ok(Some(RepeatableAnswer { answer, replayed: true })),
        CallOutcome::Rejected(rejection) => Err(BillingError::Rejected(rejection)),
        CallOutcome::Lost => Err(BillingError::OutcomeLost),
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
