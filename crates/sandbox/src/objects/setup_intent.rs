//! How is a setup intent shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{Store, setup_intent::SetupIntent};

impl Shown for SetupIntent {
    fn render(&self, _store: &Store) -> Value {
        let status = if self.payment_method.is_some() { "succeeded" } else { "requires_payment_method" };
        let object = json!({
            "id": self.id,
            "object": "setup_intent",
            "client_secret": format!("{}_secret_sandbox", self.id),
            "created": self.created,
            "customer": self.customer,
            "livemode": false,
            "metadata": self.metadata,
            "payment_method": self.payment_method,
            "payment_method_types": ["card"],
            "status": status,
            "usage": "off_session",
        });
        with_nulls(
            object,
            &["application", "cancellation_reason", "description", "last_setup_error", "next_action"],
        )
    }
}
