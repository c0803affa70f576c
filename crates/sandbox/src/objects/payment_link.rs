//! How is a payment link shown?

use serde_json::{Value, json};

use super::Shown;
use crate::store::{Store, payment_link::PaymentLink};

impl Shown for PaymentLink {
    fn render(&self, store: &Store) -> Value {
        json!({
            "id": self.id,
            "object": "payment_link",
            "active": true,
            "allow_promotion_codes": self.allow_promotion_codes,
            "livemode": false,
            "metadata": self.metadata,
            "url": format!("{}/pay/{}", store.origin, self.id),
        })
    }
}
