//! What is on an invoice?

use serde_json::{Value, json};

use crate::sandbox::call::Metadata;

#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    /// Below zero: time that was paid for and not used. In minor units.
    pub amount: i64,
    pub currency: String,
    pub description: String,
    pub quantity: i64,
    pub period: (i64, i64),
    pub price: String,
    pub product: String,
    pub unit_amount: i64,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    /// Prorations and single sales are invoice items first.
    pub invoice_item: Option<String>,
    pub proration: bool,
    pub metadata: Metadata,
}

impl Line {
    pub fn render(&self, invoice: &str) -> Value {
        json!({
            "id": self.id,
            "object": "line_item",
            "amount": self.amount,
            "currency": self.currency,
            "description": self.description,
            "discount_amounts": [],
            "discountable": !self.proration,
            "discounts": [],
            "invoice": invoice,
            "livemode": false,
            "metadata": self.metadata,
            "parent": self.parent(),
            "period": { "end": self.period.1, "start": self.period.0 },
            "pretax_credit_amounts": [],
            "pricing": {
                "price_details": { "price": self.price, "product": self.product },
                "type": "price_details",
                "unit_amount_decimal": self.unit_amount.to_string(),
            },
            "quantity": self.quantity,
            "subtotal": self.amount,
            "taxes": [],
        })
    }

    fn parent(&self) -> Value {
        match &self.invoice_item {
            Some(invoice_item) => json!({
                "invoice_item_details": {
                    "invoice_item": invoice_item,
                    "proration": self.proration,
                    "proration_details": { "credited_items": null },
                    "subscription": self.subscription,
                },
                "subscription_item_details": null,
                "type": "invoice_item_details",
            }),
            None => json!({
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": self.proration,
                    "proration_details": { "credited_items": null },
                    "subscription": self.subscription,
                    "subscription_item": self.subscription_item,
                },
                "type": "subscription_item_details",
            }),
        }
    }
}
