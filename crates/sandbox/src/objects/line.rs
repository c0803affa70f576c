//! How is a line of an invoice shown, on the invoice and as an invoice item?

use serde_json::{Value, json};

use crate::store::line::SandboxInvoiceLine;

impl SandboxInvoiceLine {
    fn credited_items(&self) -> Value {
        let credited = self.credited.as_ref();
        let traced = credited.and_then(|credited| Some((credited.invoice.as_ref()?, &credited.lines)));
        traced.filter(|(_, lines)| !lines.is_empty()).map_or(
            Value::Null,
            |(invoice, lines)| json!({ "invoice": invoice, "invoice_line_items": lines }),
        )
    }

    /// The line as the invoice item that it was made of. `None`: it was not an invoice item.
    pub fn as_invoice_item(&self, customer: &str, invoice: Option<&str>, now: i64) -> Option<Value> {
        let id = self.invoice_item.as_ref()?;
        Some(json!({
            "id": id,
            "object": "invoiceitem",
            "amount": self.amount,
            "currency": self.currency,
            "customer": customer,
            "customer_account": null,
            "date": now,
            "description": self.description,
            "discountable": !self.proration,
            "discounts": [],
            "invoice": invoice,
            "livemode": false,
            "metadata": self.metadata,
            "net_amount": self.net(),
            "parent": self.subscription.as_ref().map(|subscription| json!({
                "subscription_details": {
                    "subscription": subscription,
                    "subscription_item": self.subscription_item,
                },
                "type": "subscription_details",
            })),
            "period": { "end": self.period.1, "start": self.period.0 },
            "pricing": self.pricing(),
            "proration": self.proration,
            "quantity": self.quantity,
            "quantity_decimal": self.quantity.to_string(),
            "tax_rates": [],
            "test_clock": null,
        }))
    }

    fn pricing(&self) -> Value {
        json!({
            "price_details": { "price": self.price, "product": self.product },
            "type": "price_details",
            "unit_amount_decimal": self.unit_amount.to_string(),
        })
    }

    pub fn render(&self, invoice: &str) -> Value {
        json!({
            "id": self.id,
            "object": "line_item",
            "amount": self.amount,
            "currency": self.currency,
            "description": self.description,
            "discount_amounts": self.discounts.iter().map(|(discount, amount)| {
                json!({ "amount": amount, "discount": discount })
            }).collect::<Vec<Value>>(),
            "discountable": !self.proration,
            "discounts": self.discounts.iter().map(|(id, _)| json!(id)).collect::<Vec<Value>>(),
            "invoice": invoice,
            "livemode": false,
            "metadata": self.metadata,
            "parent": self.parent(),
            "period": { "end": self.period.1, "start": self.period.0 },
            "pretax_credit_amounts": [],
            "pricing": self.pricing(),
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
                    "proration_details": { "credited_items": self.credited_items() },
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
