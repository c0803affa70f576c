//! When did an event become true?

use super::Event;
use crate::domain::time::Timestamp;

impl Event {
    /// When it became true in the world, which may be before it was recorded.
    #[must_use]
    pub const fn effective_at(&self) -> Timestamp {
        match self {
            Self::AccountOpened { effective_at, .. }
            | Self::CustomerLinked { effective_at, .. }
            | Self::CustomerUnlinked { effective_at, .. }
            | Self::CustomerDiscounted { effective_at, .. }
            | Self::CustomerDiscountEnded { effective_at, .. }
            | Self::AccountMetadataSet { effective_at, .. }
            | Self::AccountClosed { effective_at, .. }
            | Self::CreditsGranted { effective_at, .. }
            | Self::CreditsDeducted { effective_at, .. }
            | Self::CreditsRefunded { effective_at, .. }
            | Self::CreditsExpired { effective_at, .. }
            | Self::CreditsAdjusted { effective_at, .. }
            | Self::CreditsClawedBack { effective_at, .. }
            | Self::CreditsRestored { effective_at, .. }
            | Self::GrantFrozen { effective_at, .. }
            | Self::GrantUnfrozen { effective_at, .. }
            | Self::GrantEndMoved { effective_at, .. }
            | Self::DebtPaid { effective_at, .. }
            | Self::DebtForgiven { effective_at, .. }
            | Self::CreditsHeld { effective_at, .. }
            | Self::HoldExtended { effective_at, .. }
            | Self::HoldCommitted { effective_at, .. }
            | Self::HoldReleased { effective_at, .. }
            | Self::HoldExpired { effective_at, .. }
            | Self::PeriodPaid { effective_at, .. }
            | Self::InvoicePaid { effective_at, .. }
            | Self::InvoiceUnpaid { effective_at, .. }
            | Self::TrialStarted { effective_at, .. }
            | Self::TrialEndAnnounced { effective_at, .. }
            | Self::SubscriptionStarted { effective_at, .. }
            | Self::SubscriptionRenewed { effective_at, .. }
            | Self::PlanChanged { effective_at, .. }
            | Self::PlanChangeScheduled { effective_at, .. }
            | Self::RevenueChanged { effective_at, .. }
            | Self::SubscriptionMoved { effective_at, .. }
            | Self::SubscriptionPastDue { effective_at, .. }
            | Self::SubscriptionRecovered { effective_at, .. }
            | Self::SubscriptionPaused { effective_at, .. }
            | Self::SubscriptionResumed { effective_at, .. }
            | Self::CancellationScheduled { effective_at, .. }
            | Self::CancellationWithdrawn { effective_at, .. }
            | Self::SubscriptionEnded { effective_at, .. }
            | Self::SubscriptionChangeRequested { effective_at, .. }
            | Self::PaymentSucceeded { effective_at, .. }
            | Self::PaymentFailed { effective_at, .. }
            | Self::PaymentActionRequired { effective_at, .. }
            | Self::PaymentRefunded { effective_at, .. }
            | Self::PaymentLinked { effective_at, .. }
            | Self::RefundIssued { effective_at, .. }
            | Self::RefundFailed { effective_at, .. }
            | Self::CreditNoteIssued { effective_at, .. }
            | Self::CreditNoteVoided { effective_at, .. }
            | Self::DisputeOpened { effective_at, .. }
            | Self::DisputeClosed { effective_at, .. }
            | Self::CheckoutStarted { effective_at, .. }
            | Self::CheckoutCompleted { effective_at, .. }
            | Self::CheckoutExpired { effective_at, .. } => *effective_at,
        }
    }
}
