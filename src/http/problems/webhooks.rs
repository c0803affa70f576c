//! Why is a delivery not stored?

use crate::stripe::inbound::inbox::ReceiveError;

use super::explain;

explain! {
    ReceiveError, also { Self::Storage(error) => error.explain(), };

    // An error that says nothing that its sender does not know.
    Self::Signature(error) => WebhookSignatureInvalid = BAD_REQUEST,
        "webhook_signature_invalid", "The delivery is not signed by Stripe",
        "Nothing was stored. Check STRIPE_WEBHOOK_SECRET, and the clocks when `detail` speaks of time.",
        says format!("{error}.");
    Self::Unparsable(error) =>
        WebhookUnparsable = BAD_REQUEST, "webhook_unparsable", "The delivery is signed, but is not an event",
        "Nothing was stored. Only events of Stripe's belong here.",
        says format!("{error}.");
}
