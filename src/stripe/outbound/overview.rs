//! What does Stripe say about an account in short?
//! The next invoice and the last ones, or why they are missing: a slow or failing Stripe neither delays nor fails the
//! rest of the answer.

use std::time::Duration;

use tokio::time::timeout;

use super::{Billing, BillingError, InvoicePreview, PageRequest};
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        time::Timestamp,
    },
    stripe::client::StripeInvoice,
};

/// How long Stripe is waited for, including all attempts.
pub const GLANCE_WAIT: Duration = Duration::from_secs(4);
/// How many of the last invoices are returned.
pub const INVOICES_SHOWN: u8 = 5;

/// What Stripe said.
#[derive(Clone, PartialEq, Eq)]
pub struct Glance {
    /// When Stripe was asked. `None`: it was not.
    pub asked_at: Option<Timestamp>,
    pub next_invoice: Result<InvoicePreview, UntoldReason>,
    /// Newest first.
    pub invoices: Result<Vec<StripeInvoice>, UntoldReason>,
}

/// Why something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UntoldReason {
    /// The caller did not ask for it.
    NotAsked,
    BillingOff,
    BillingNotConfigured,
    /// No subscription has a next invoice.
    NoSubscription,
    /// Nothing will be charged, for example because the subscription ends with its period, or is paused.
    NothingDue,
    /// Stripe refused the request.
    StripeRejected,
    /// Stripe did not answer, or not in time.
    StripeUnavailable,
}

impl Glance {
    #[must_use]
    pub const fn untold(why: UntoldReason) -> Self {
        Self { asked_at: None, next_invoice: Err(why), invoices: Err(why) }
    }
}

impl Billing {
    /// What Stripe says now about an account, and about its subscription if it has one.
    pub async fn glance(&self, account: &AccountId, subscription: Option<&ProviderId>) -> Glance {
        if let Err(error) = self.client() {
            return Glance::untold(untold(&error));
        }
        let asked_at = self.now();
        let next = async {
            let Some(subscription) = subscription else { return Err(UntoldReason::NoSubscription) };
            match self.upcoming_invoice(account, Some(subscription)).await {
                Ok((_, invoice)) => invoice.ok_or(UntoldReason::NothingDue),
                Err(error) => Err(untold(&error)),
            }
        };
        let page = PageRequest { limit: INVOICES_SHOWN, after: None };
        let last = async {
            let listed = self.list_invoices(account, None, page).await;
            listed.map(|listed| listed.data).map_err(|error| untold(&error))
        };
        let (next_invoice, invoices) = tokio::join!(timeout(GLANCE_WAIT, next), timeout(GLANCE_WAIT, last));
        let (late, too_late) = (Err(UntoldReason::StripeUnavailable), Err(UntoldReason::StripeUnavailable));
        Glance {
            asked_at: Some(asked_at),
            next_invoice: next_invoice.unwrap_or(late),
            invoices: invoices.unwrap_or(too_late),
        }
    }
}

const fn untold(error: &BillingError) -> UntoldReason {
    match error {
        BillingError::Off => UntoldReason::BillingOff,
        BillingError::NotConfigured => UntoldReason::BillingNotConfigured,
        BillingError::Refused(_) => UntoldReason::NoSubscription,
        BillingError::Rejected(_)
        | BillingError::Unauthenticated(_)
        | BillingError::NotFound(_)
        | BillingError::MethodTaken
        | BillingError::NameTaken
        | BillingError::CursorUnknown
        | BillingError::KeyReused => UntoldReason::StripeRejected,
        BillingError::TooMany { .. }
        | BillingError::Unavailable
        | BillingError::OutcomeUnknown
        | BillingError::OutcomeLost
        | BillingError::Execute(_)
        | BillingError::View(_)
        | BillingError::Storage(_)
        | BillingError::Unreadable(_) => UntoldReason::StripeUnavailable,
    }
}
