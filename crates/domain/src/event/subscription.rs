//! What was reported of a subscription? Each event has the state of the whole subscription.

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
        /// A new period began. It may not be paid yet.
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
        /// The monthly revenue changed while the plan did not: by an add-on, or by a lasting discount.
        RevenueChanged {
            terms: SubscriptionState,
            effective_at: Timestamp,
        },
        /// The subscription belongs to another account from now on. What it gave to this account stays.
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
    /// The state of the subscription that the event reports.
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
