//! What can be asked, and which events does each answer depend on?
//!
//! | event | usage | subscriptions | mrr | deadlines | accounts | payments | credits | deferred |
//! |---|---|---|---|---|---|---|---|---|
//! | `AccountOpened` | | | | | new row | | debt that was moved in | |
//! | `CustomerLinked`, `CustomerUnlinked` | | | | | customers | | | |
//! | `CustomerDiscounted`, `CustomerDiscountEnded` | | | discount | | | | | |
//! | `AccountMetadataSet` | | | | | metadata | | | |
//! | `AccountClosed` | | | | | status | | | |
//! | `CreditsGranted` | | | | expiry | | | what it changes | lot |
//! | `CreditsDeducted` | count, credits | | | | | | what it changes | lot |
//! | `CreditsRefunded` | refunds | | | | | | what it changes | lot |
//! | `CreditsExpired` | | | | | | | what it changes | lot |
//! | `CreditsAdjusted` | | | | | | | what it changes | lot |
//! | `CreditsClawedBack`, `CreditsRestored` | | | | | | | what it changes | lot |
//! | `GrantFrozen`, `GrantUnfrozen` | | | | | | | | |
//! | `DebtPaid`, `DebtForgiven` | | | | | | | what it changes | lot (`DebtPaid`) |
//! | `CreditsHeld` | | | | expiry | | | what it changes | |
//! | `HoldExtended`, `HoldToppedUp` | | | | expiry | | | what it changes (`HoldToppedUp`) | |
//! | `HoldCommitted`, `HoldSpent` | count, credits | | | | | | what it changes | lot |
//! | `HoldReduced`, `HoldReleased`, `HoldExpired` | | | | | | | what it changes | |
//! | `PeriodPaid` | | | | each month | | | | fact, if paid |
//! | `InvoicePaid`, `InvoiceUnpaid` | | | whether it is paid | each month (`InvoicePaid`) | | | | fact, if paid |
//! | `GrantEndMoved` | | | | expiry | | | credits that did not end | lot |
//! | `CreditNoteIssued`, `CreditNoteVoided` | | | | | | | | fact |
//! | `TrialStarted`, `SubscriptionStarted` | | report, newest one | report, movements | | plan, status | | | |
//! | `SubscriptionRenewed`, `PlanChanged` | | report, newest one | report, movements | | plan, status | | | |
//! | `RevenueChanged`, `SubscriptionMoved` | | report, newest one | report, movements | | plan, status | | | |
//! | `SubscriptionPastDue` | | report, newest one | report, movements | grace | plan, status | | | |
//! | `SubscriptionRecovered` | | report, newest one | report, movements | | plan, status | | | |
//! | `SubscriptionPaused`, `SubscriptionResumed` | | report, newest one | report, movements | | plan, status | | | |
//! | `PlanChangeScheduled` | | report, newest one | report, movements | | plan, status | | | |
//! | `CancellationScheduled` | | report, newest one | report, movements | | plan, status | | | |
//! | `CancellationWithdrawn` | | report, newest one | report, movements | | plan, status | | | |
//! | `SubscriptionEnded` | | report, newest one | report, movements | | plan, status | | | |
//! | `SubscriptionChangeRequested` | | request | why it ends | | | | | |
//! | `TrialEndAnnounced` | | | | | | | | |
//! | `PaymentSucceeded`, `PaymentLinked` | | | | | | new row | | fact |
//! | `RefundIssued`, `RefundFailed` | | | | | | refund | | fact |
//! | `PaymentFailed`, `PaymentActionRequired` | | | | | | | | |
//! | `PaymentRefunded`, `DisputeOpened`, `DisputeClosed` | | | | | | | | fact |
//! | `CheckoutStarted`, `CheckoutCompleted`, `CheckoutExpired` | | | | | | | | |
//!
//! An empty cell is an answer, too: a read model matches all events of the families that it uses by name, so a new
//! event of these does not compile without an answer.
//! Other families are skipped as a whole.
//! Balances and statements are answered from the account's own events, and are not in a read model.
//!
//! Rows follow from events alone, without a clock or serial numbers, so a rebuild gives the same rows.

mod calendar;
mod projection;
pub mod rows;
mod shards;
mod subscription_reports;

pub mod accounts;
pub mod credits;
pub mod deadlines;
pub mod deferred;
pub mod mrr;
pub mod payments;
pub mod subscriptions;
pub mod usage;

use std::sync::Arc;

pub use calendar::FigureInterval;
pub use projection::{ApplyError, OnFailure, Projection, Tables};

/// All read models that the projector builds.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(usage::UsageProjection),
        Arc::new(subscriptions::SubscriptionsProjection),
        Arc::new(mrr::Mrr),
        Arc::new(deadlines::Deadlines),
        Arc::new(accounts::AccountsProjection),
        Arc::new(payments::PaymentsProjection),
        Arc::new(credits::CreditsProjection),
        Arc::new(deferred::DeferredProjection),
    ]
}
