//! Who pays?

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Debug, Default)]
pub struct Customer {
    pub id: String,
    pub created: i64,
    pub deleted: bool,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub description: Option<String>,
    pub address: Option<Value>,
    pub shipping: Option<Value>,
    pub currency: Option<String>,
    /// Below zero: a credit, which pays for the next invoices. In minor units.
    pub balance: i64,
    pub default_payment_method: Option<String>,
    pub metadata: ObjectMetadata,
    /// What invoice numbers begin with.
    pub invoice_prefix: String,
    pub invoices_numbered: i64,
    pub delinquent: bool,
    pub discount: Option<String>,
}

impl Stored for Customer {
    const KIND: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn listed(&self) -> bool {
        !self.deleted
    }

    fn render(&self, state: &SandboxState) -> Value {
        if self.deleted {
            return json!({ "id": self.id, "object": "customer", "deleted": true });
        }
        self.whole(state)
    }
}

impl Customer {
    /// Also of a deleted one: what `customer.deleted` shows.
    pub fn whole(&self, state: &SandboxState) -> Value {
        let object = json!({
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": self.balance,
            "created": self.created,
            "currency": self.currency,
            "delinquent": self.delinquent,
            "description": self.description,
            "discount": self.discount.as_deref().and_then(|id| state.discounts.find(id)).map(|row| row.render(state)),
            "email": self.email,
            "invoice_prefix": self.invoice_prefix,
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": self.default_payment_method,
                "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": self.invoices_numbered.saturating_add(1),
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": self.shipping,
            "tax_exempt": "none",
        });
        with_nulls(object, &["default_source", "test_clock"])
    }
}
