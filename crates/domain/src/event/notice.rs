//! What else was said about a subscription, besides reports?

use crate::{ids::ProviderId, requested::Requested, time::Timestamp};

super::family! {
    NoticeEvent {
        /// The trial ends soon; people are told so.
        TrialEndAnnounced {
            subscription: ProviderId,
            trial_end: Timestamp,
            effective_at: Timestamp,
        },
        /// Somebody asked for it over the API, and the payment provider has done it. What came of it is reported by
        /// itself.
        SubscriptionChangeRequested {
            subscription: ProviderId,
            requested: Requested,
            effective_at: Timestamp,
        },
    }
}
