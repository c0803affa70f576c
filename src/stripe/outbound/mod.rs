//! How does an account pay?
//! Pages at Stripe are opened, payments made and subscriptions changed, once for each request.
//! Nothing is granted here: the results are reported by webhooks.

mod across_customers;
mod call_turns;
mod change_notes;
mod checkout;
mod customer;
mod customer_details;
mod duplicate_subscription;
mod invoices;
mod overview;
mod payment_methods;
mod payments;
mod portal;
mod preview;
mod products;
mod resolve;
mod runner;
mod sale;
mod schedule;
mod subscribe;
mod subscription_change;

use std::sync::Arc;

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
    calls::{Calls, CallsError},
    client::{CallError, Client, Rejection},
    inbound::accounts::customer_links::CustomerLinks,
};
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        refusal::Refusal,
        rollout::{BillingState, Reach, Rollout},
        time::Timestamp,
    },
    ledger::{ExecuteError, Ledger, ViewError},
};

/// Whether Stripe is called.
#[derive(Clone, Debug)]
pub enum BillingMode {
    On(Client),
    /// Switched off by the operator, or by the catalog.
    Off,
    /// There is no key.
    NotConfigured,
}

impl BillingMode {
    /// The client, if Stripe is called.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match self {
            Self::On(client) => Some(client),
            Self::Off | Self::NotConfigured => None,
        }
    }
}

/// The operator's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For which accounts billing is on.
    pub rollout: Rollout,
    /// The portal's configuration. `None`: the Stripe account's default.
    pub portal: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rollout: Rollout::everybody(), portal: None }
    }
}

/// Calls Stripe for accounts. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<BillingParts>);

struct BillingParts {
    switch: BillingMode,
    calls: Calls,
    links: CustomerLinks,
    ledger: Ledger,
    settings: Settings,
}

/// An answer, and whether it is a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatableAnswer<A> {
    pub answer: A,
    pub replayed: bool,
}

/// What was looked for at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    PaymentMethod,
    /// The default payment method for invoices, if none was named.
    PreferredMethod,
    Payment,
}

/// Which page of a list at Stripe is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: u8,
    pub after: Option<ProviderId>,
}

/// Why something was not done, or is not known to be done.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    #[error("billing is switched off")]
    Off,
    #[error("there is no key that Stripe accepts")]
    NotConfigured,
    /// The rules do not allow it. Stripe was not called.
    #[error("the rules refuse it")]
    Refused(Refusal),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("too many calls were begun lately")]
    TooMany { wait_s: u64 },
    #[error("Stripe refused it")]
    Rejected(Rejection),
    /// The bank declined because the person has to authenticate.
    #[error("the bank requires the person to authenticate")]
    Unauthenticated(Box<Unauthenticated>),
    /// Stripe does not have it, or it is not this account's.
    #[error("Stripe does not have it: {0:?}")]
    NotFound(ResourceKind),
    #[error("the payment method belongs to another customer")]
    MethodTaken,
    /// Stripe has another product or price with this id or lookup key.
    #[error("Stripe has another object with this id or lookup key")]
    NameTaken,
    #[error("the cursor is unknown")]
    CursorUnknown,
    /// Nothing happened.
    #[error("Stripe does not accept requests now")]
    Unavailable,
    /// It may have happened. Repeating the request with the same key returns the outcome.
    #[error("it is not known whether Stripe did it")]
    OutcomeUnknown,
    /// It may have happened, and Stripe no longer knows the key.
    #[error("it was not found out in time whether Stripe did it")]
    OutcomeLost,
    /// Stripe has done it, but the ledger did not record it. Repeating the request with the same key completes it.
    #[error("the ledger did not record it")]
    Execute(ExecuteError),
    #[error("the account cannot be read")]
    View(#[from] ViewError),
    #[error("the database does not answer")]
    Storage(#[source] sqlx::Error),
    #[error("a stored call to Stripe cannot be read")]
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

    /// Whether anything is sold to this account.
    /// This is decided here and nowhere else, for the rules and for what is shown.
    #[must_use]
    pub fn state_of(&self, account: &AccountId) -> BillingState {
        match &self.0.switch {
            BillingMode::Off => BillingState::Off,
            BillingMode::On(_) | BillingMode::NotConfigured => self.0.settings.rollout.state_of(account),
        }
    }

    /// Whether anything is sold to any account.
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
}

impl From<CallError> for BillingError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(rejection) => Self::Rejected(rejection),
            CallError::KeyNotTaken => {
                tracing::error!(
                    "Stripe does not accept the key, or the key lacks a right; docs/STRIPE.md names those of STRIPE_SECRET_KEY"
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
