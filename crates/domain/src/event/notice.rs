//! What else is known of a subscription, besides reports?

use crate::{ids::ProviderId, requested::Requested, time::Timestamp};

super::family! {
    NoticeEvent {
        /// The trial ends soon.
        TrialEndAnnounced {
            subscription: ProviderId,
            trial_end: Timestamp,
            effective_at: Timestamp,
        },
        /// A change was requested over the API, and the payment provider has carried it out.
        /// The result is reported in an event of its own.
        SubscriptionChangeRequested {
            subscription: ProviderId,
            requested: Requested,
            effective_at: Timestamp,
        },
    }
}
