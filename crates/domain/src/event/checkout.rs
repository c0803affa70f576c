//! What happened to a checkout page?

use crate::{
    ids::ProviderId, metadata::Metadata, purpose::PaymentPurpose, sold_pack::SoldPack, time::Timestamp,
};

super::family! {
    CheckoutEvent {
        CheckoutStarted {
            session: ProviderId,
            purpose: PaymentPurpose,
            /// The terms of the pack that is sold on the page, which hold whatever the catalog says when it is paid.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            sold: Option<SoldPack>,
            /// What the caller attached to the purchase.
            #[serde(default, skip_serializing_if = "Metadata::is_empty")]
            metadata: Metadata,
            effective_at: Timestamp,
        },
        CheckoutCompleted {
            session: ProviderId,
            purpose: PaymentPurpose,
            paid: bool,
            /// The invoice that the session made besides its payment. It is about the same purchase.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            invoice: Option<ProviderId>,
            effective_at: Timestamp,
        },
        CheckoutExpired {
            session: ProviderId,
            purpose: PaymentPurpose,
            effective_at: Timestamp,
        },
    }
}
