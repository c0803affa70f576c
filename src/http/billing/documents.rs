//! What is answered when a page at Stripe was opened?

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{metadata::Metadata, time::Timestamp},
    http::{request::Pairs, schema::Time},
};

/// A checkout page.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "checkout_session_id": "cs_test_a1", "url": "https://checkout.stripe.com/c/pay/cs_test_a1",
    "expires_at": "2025-06-02T00:00:00Z", "metadata": {},
}))]
pub struct CheckoutSession<'a> {
    pub checkout_session_id: &'a str,
    /// Where to send the person.
    pub url: &'a str,
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    /// As it was sent.
    #[schema(value_type = Pairs)]
    pub metadata: &'a Metadata,
}

/// A page of the customer portal.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "url": "https://billing.stripe.com/p/session/live_1" }))]
pub struct PortalResponse<'a> {
    /// Where to send the person. It is valid for a few minutes.
    pub url: &'a str,
}
