//! What is sold to whoever opens an address?

use serde_json::{Value, json};

use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Debug)]
pub struct PaymentLink {
    pub id: String,
    pub created: i64,
    /// Prices, and how many of each.
    pub items: Vec<(String, i64)>,
    pub metadata: ObjectMetadata,
    pub allow_promotion_codes: bool,
}

impl Stored for PaymentLink {
    const KIND: &'static str = "payment link";
    const OBJECT: &'static str = "payment_link";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, state: &SandboxState) -> Value {
        json!({
            "id": self.id,
            "object": "payment_link",
            "active": true,
            "allow_promotion_codes": self.allow_promotion_codes,
            "livemode": false,
            "metadata": self.metadata,
            "url": format!("{}/pay/{}", state.origin, self.id),
        })
    }
}
