//! How is a customer shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{Store, customer::Customer};

impl Shown for Customer {
    fn render(&self, store: &Store) -> Value {
        if self.deleted {
            return json!({ "id": self.id, "object": "customer", "deleted": true });
        }
        self.whole(store)
    }
}

impl Customer {
    /// All fields, even of a deleted customer, as `customer.deleted` shows them.
    pub fn whole(&self, store: &Store) -> Value {
        let object = json!({
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": self.balance,
            "created": self.created,
            "currency": self.currency,
            "delinquent": self.delinquent,
            "description": self.description,
            "discount": self.discount.as_deref().and_then(|id| store.discounts.find(id)).map(|row| row.render(store)),
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
