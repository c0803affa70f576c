//! Which events report on a subscription, or on whether it is paid, and what do they say?

use super::mrr::timeline::PaymentState;
use crate::domain::{event::Event, ids::ProviderId, invoice::InvoiceState, subscription::SubscriptionState};

/// The whole subscription, as the event reports it; `None` for events about other things.
pub(super) fn terms(event: &Event) -> Option<&SubscriptionState> {
    match event {
        Event::TrialStarted { terms, .. }
        | Event::SubscriptionStarted { terms, .. }
        | Event::SubscriptionRenewed { terms, .. }
        | Event::PlanChanged { terms, .. }
        | Event::PlanChangeScheduled { terms, .. }
        | Event::RevenueChanged { terms, .. }
        | Event::SubscriptionMoved { terms, .. }
        | Event::SubscriptionPastDue { terms, .. }
        | Event::SubscriptionRecovered { terms, .. }
        | Event::SubscriptionPaused { terms, .. }
        | Event::SubscriptionResumed { terms, .. }
        | Event::CancellationScheduled { terms, .. }
        | Event::CancellationWithdrawn { terms, .. }
        | Event::SubscriptionEnded { terms, .. } => Some(terms),
        Event::AccountOpened { .. }
        | Event::CustomerLinked { .. }
        | Event::CustomerUnlinked { .. }
        | Event::CustomerDiscounted { .. }
        | Event::CustomerDiscountEnded { .. }
        | Event::AccountMetadataSet { .. }
        | Event::AccountClosed { .. }
        | Event::CreditsGranted { .. }
        | Event::CreditsDeducted { .. }
        | Event::CreditsRefunded { .. }
        | Event::CreditsExpired { .. }
        | Event::CreditsAdjusted { .. }
        | Event::CreditsClawedBack { .. }
        | Event::CreditsRestored { .. }
        | Event::GrantFrozen { .. }
        | Event::GrantUnfrozen { .. }
        | Event::GrantEndMoved { .. }
        | Event::DebtPaid { .. }
        | Event::DebtForgiven { .. }
        | Event::CreditsHeld { .. }
        | Event::HoldExtended { .. }
        | Event::HoldCommitted { .. }
        | Event::HoldReleased { .. }
        | Event::HoldExpired { .. }
        | Event::InvoicePaid { .. }
        | Event::InvoiceUnpaid { .. }
        | Event::PeriodPaid { .. }
        | Event::TrialEndAnnounced { .. }
        | Event::SubscriptionChangeRequested { .. }
        | Event::PaymentSucceeded { .. }
        | Event::PaymentFailed { .. }
        | Event::PaymentActionRequired { .. }
        | Event::PaymentRefunded { .. }
        | Event::PaymentLinked { .. }
        | Event::RefundIssued { .. }
        | Event::RefundFailed { .. }
        | Event::CreditNoteIssued { .. }
        | Event::CreditNoteVoided { .. }
        | Event::DisputeOpened { .. }
        | Event::DisputeClosed { .. }
        | Event::CheckoutStarted { .. }
        | Event::CheckoutCompleted { .. }
        | Event::CheckoutExpired { .. } => None,
    }
}

/// Whether a subscription is paid from then on, or will not be by itself; `None` for events about other things.
pub(super) fn payment(event: &Event) -> Option<(&ProviderId, PaymentState)> {
    match event {
        // What only gave money back pays for nothing.
        Event::InvoicePaid { invoice, .. } => {
            (invoice.total >= 0).then_some((&invoice.subscription, PaymentState::Yes))
        }
        // What was paid for the period before it was changed stays paid.
        Event::InvoiceUnpaid { invoice, .. } if invoice.is_change => None,
        Event::InvoiceUnpaid { invoice, .. } => match invoice.state {
            // The days of grace are for that.
            InvoiceState::Failed => None,
            InvoiceState::Open => Some((&invoice.subscription, PaymentState::Awaited)),
            InvoiceState::Uncollectible | InvoiceState::Void => {
                Some((&invoice.subscription, PaymentState::No))
            }
        },
        Event::AccountOpened { .. }
        | Event::CustomerLinked { .. }
        | Event::CustomerUnlinked { .. }
        | Event::CustomerDiscounted { .. }
        | Event::CustomerDiscountEnded { .. }
        | Event::AccountMetadataSet { .. }
        | Event::AccountClosed { .. }
        | Event::CreditsGranted { .. }
        | Event::CreditsDeducted { .. }
        | Event::CreditsRefunded { .. }
        | Event::CreditsExpired { .. }
        | Event::CreditsAdjusted { .. }
        | Event::CreditsClawedBack { .. }
        | Event::CreditsRestored { .. }
        | Event::GrantFrozen { .. }
        | Event::GrantUnfrozen { .. }
        | Event::GrantEndMoved { .. }
        | Event::DebtPaid { .. }
        | Event::DebtForgiven { .. }
        | Event::CreditsHeld { .. }
        | Event::HoldExtended { .. }
        | Event::HoldCommitted { .. }
        | Event::HoldReleased { .. }
        | Event::HoldExpired { .. }
        | Event::PeriodPaid { .. }
        | Event::TrialEndAnnounced { .. }
        | Event::SubscriptionChangeRequested { .. }
        | Event::PaymentSucceeded { .. }
        | Event::PaymentFailed { .. }
        | Event::PaymentActionRequired { .. }
        | Event::PaymentRefunded { .. }
        | Event::PaymentLinked { .. }
        | Event::RefundIssued { .. }
        | Event::RefundFailed { .. }
        | Event::CreditNoteIssued { .. }
        | Event::CreditNoteVoided { .. }
        | Event::DisputeOpened { .. }
        | Event::DisputeClosed { .. }
        | Event::CheckoutStarted { .. }
        | Event::CheckoutCompleted { .. }
        | Event::CheckoutExpired { .. }
        | Event::TrialStarted { .. }
        | Event::SubscriptionStarted { .. }
        | Event::SubscriptionRenewed { .. }
        | Event::PlanChanged { .. }
        | Event::PlanChangeScheduled { .. }
        | Event::RevenueChanged { .. }
        | Event::SubscriptionMoved { .. }
        | Event::SubscriptionPastDue { .. }
        | Event::SubscriptionRecovered { .. }
        | Event::SubscriptionPaused { .. }
        | Event::SubscriptionResumed { .. }
        | Event::CancellationScheduled { .. }
        | Event::CancellationWithdrawn { .. }
        | Event::SubscriptionEnded { .. } => None,
    }
}
