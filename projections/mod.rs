//! What can be asked, and which events does each answer rest on?
//!
//! | event | statements | usage | subscriptions | mrr | deadlines | accounts | payments |
//! |---|---|---|---|---|---|---|---|
//! | `AccountOpened` | debt that was brought | | | | | new row | |
//! | `CustomerLinked`, `CustomerUnlinked` | | | | | | customers | |
//! | `CustomerDiscounted`, `CustomerDiscountEnded` | | | | what it brings | | | |
//! | `AccountMetadataSet` | | | | | | metadata | |
//! | `AccountClosed` | | | | | | status | |
//! | `CreditsGranted` | line, by source | | | | expiry | | |
//! | `CreditsDeducted` | usage | count, credits | | | | | |
//! | `CreditsRefunded` | refund | refunds | | | | | |
//! | `CreditsExpired` | expiry | | | | | | |
//! | `CreditsAdjusted` | adjustment | | | | | | |
//! | `CreditsClawedBack`, `CreditsRestored` | clawback, clawback reversed | | | | | | |
//! | `GrantFrozen`, `GrantUnfrozen` | freeze, unfreeze | | | | | | |
//! | `DebtPaid`, `DebtForgiven` | debt paid, debt forgiven | | | | | | |
//! | `CreditsHeld` | hold | | | | expiry | | |
//! | `HoldExtended` | | | | | expiry | | |
//! | `HoldCommitted` | hold returned, usage | count, credits | | | | | |
//! | `HoldReleased`, `HoldExpired` | hold returned | | | | | | |
//! | `PeriodPaid` | | | | | each month | | |
//! | `InvoicePaid`, `InvoiceUnpaid` | | | | whether it is paid | see there | | |
//! | `CreditNoteIssued`, `CreditNoteVoided`, `GrantEndMoved` | | | | | | | |
//! | `TrialStarted`, `SubscriptionStarted`, `SubscriptionRenewed`, `PlanChanged`, `RevenueChanged`,
//! `SubscriptionMoved`, `SubscriptionPastDue`, `SubscriptionRecovered`, `SubscriptionPaused`, `SubscriptionResumed`,
//! `CancellationScheduled`, `CancellationWithdrawn`, `SubscriptionEnded` | | | report, newest one | report, movements |
//! grace (`SubscriptionPastDue`) | plan, status | |
//! | `PlanChangeScheduled` | | | report | | | | |
//! | `SubscriptionChangeRequested` | | | request | | | | |
//! | `TrialEndAnnounced` | | | | | | | |
//! | `PaymentSucceeded`, `PaymentLinked` | | | | | | | new row |
//! | `RefundIssued`, `RefundFailed` | | | | | | | refund |
//! | `PaymentFailed`, `PaymentActionRequired`, `PaymentRefunded`, `DisputeOpened`, `DisputeClosed` | | | | | | | |
//! | `CheckoutStarted`, `CheckoutCompleted`, `CheckoutExpired` | | | | | | | |
//!
//! An empty cell is an answer too: each read model matches every event by name, so a new event does not
//! compile until each has one. `balances` is answered from the account's own state and is not built here.
//!
//! Rows follow from events alone: no clock and no serial numbers, so a rebuild gives the same rows.

mod projection;
mod rows;
mod subscription_reports;

pub mod accounts;
pub mod deadlines;
pub mod mrr;
pub mod payments;
pub mod statements;
pub mod subscriptions;
pub mod usage;

use std::sync::Arc;

pub use projection::{ApplyError, OnFailure, Projection, Tables};

/// Every read model that the projector builds.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(statements::Statements),
        Arc::new(usage::UsageProjection),
        Arc::new(subscriptions::SubscriptionsProjection),
        Arc::new(mrr::Mrr),
        Arc::new(deadlines::Deadlines),
        Arc::new(accounts::AccountsProjection),
        Arc::new(payments::PaymentsProjection),
    ]
}
