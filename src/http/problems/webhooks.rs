//! Why is a delivery not stored?

use crate::stripe::inbound::inbox::ReceiveError;

use super::explain;

explain! {
    ReceiveError, also { Self::Storage(error) => error.explain(), };

    // This error tells the sender nothing new.
    Self::Signature(error) => WebhookSignatureInvalid = BAD_REQUEST,
        "webhook_signature_invalid", "The delivery is not signed by Stripe",
        "Nothing was stored. Check STRIPE_WEBHOOK_SECRET, and the clocks if `detail` is about time.",
        says format!("{error}.");
    Self::Unparsable(error) =>
        WebhookUnparsable = BAD_REQUEST, "webhook_unparsable", "The delivery is signed, but is not an event",
        "Nothing was stored. Only Stripe's events can be delivered here.",
        says format!("{error}.");
}
