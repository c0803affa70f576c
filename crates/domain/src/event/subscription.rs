//! What was reported of a subscription? Each report has the whole subscription.

use crate::{ids::PlanId, subscription::SubscriptionState, time::Timestamp};

super::family! {
    SubscriptionEvent {
        TrialStarted {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionStarted {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        /// A new period began. It is not paid yet.
        SubscriptionRenewed {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        PlanChanged {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            from: Option<PlanId>,
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        PlanChangeScheduled {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        /// What the subscription brings is another amount, with the same plan: an add-on, or a discount that lasts.
        RevenueChanged {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        /// The subscription belongs to another account from now on. What it gave here stays.
        SubscriptionMoved {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionPastDue {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionRecovered {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionPaused {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionResumed {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        CancellationScheduled {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        CancellationWithdrawn {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        SubscriptionEnded {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
    }
}

impl SubscriptionEvent {
    /// The whole subscription, as the event reports it.
    #[must_use]
    pub const fn terms(&self) -> &SubscriptionState {
        match self {
            Self::TrialStarted { terms, .. }
            | Self::SubscriptionStarted { terms, .. }
            | Self::SubscriptionRenewed { terms, .. }
            | Self::PlanChanged { terms, .. }
            | Self::PlanChangeScheduled { terms, .. }
            | Self::RevenueChanged { terms, .. }
            | Self::SubscriptionMoved { terms, .. }
            | Self::SubscriptionPastDue { terms, .. }
            | Self::SubscriptionRecovered { terms, .. }
            | Self::SubscriptionPaused { terms, .. }
            | Self::SubscriptionResumed { terms, .. }
            | Self::CancellationScheduled { terms, .. }
            | Self::CancellationWithdrawn { terms, .. }
            | Self::SubscriptionEnded { terms, .. } => terms,
        }
    }
}
