//! How is a card kept for later, without being charged?

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Debug)]
pub struct SetupIntent {
    pub id: String,
    pub created: i64,
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub metadata: ObjectMetadata,
}

impl Stored for SetupIntent {
    const KIND: &'static str = "setupintent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &SandboxState) -> Value {
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
