//! Which events report on a subscription, and what do they say?

use crate::domain::{event::Event, subscription::SubscriptionTerms};

/// The whole subscription, as the event reports it; `None` for events about other things.
pub(super) fn terms(event: &Event) -> Option<&SubscriptionTerms> {
    match event {
        Event::TrialStarted { terms, .. }
        | Event::SubscriptionStarted { terms, .. }
        | Event::SubscriptionRenewed { terms, .. }
        | Event::PlanChanged { terms, .. }
        | Event::PlanChangeScheduled { terms, .. }
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
