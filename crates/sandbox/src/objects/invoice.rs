//! How is an invoice shown, and what has been paid?

use serde_json::{Value, json};

use super::{Shown, inner_list, with_nulls};
use crate::store::{
    Store,
    invoice::{Invoice, InvoiceStatus},
};

/// The number of lines that an invoice shows. All lines are on its list of lines.
pub const LINES_SHOWN_MAX: usize = 10;

impl Shown for Invoice {
    fn render(&self, store: &Store) -> Value {
        let customer = store.customers.find(&self.customer);
        let mut object = self.amounts();
        let rest = json!({
            "auto_advance": self.auto_advance,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
            "automatically_finalizes_at": self.finalizes_at,
            "collection_method": if self.automatic { "charge_automatically" } else { "send_invoice" },
            "customer_email": customer.and_then(|customer| customer.email.clone()),
            "customer_name": customer.and_then(|customer| customer.name.clone()),
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_tax_rates": [],
            "discounts": self.discounts().iter().map(|(id, _)| json!(id)).collect::<Vec<Value>>(),
            "due_date": self.due_date,
            "effective_at": self.finalized_at,
            "hosted_invoice_url": self.finalized_at.map(|_| format!("{}/invoices/{}", store.origin, self.id)),
            "invoice_pdf": self.finalized_at.map(|_| format!("{}/invoices/{}/pdf", store.origin, self.id)),
            "issuer": { "type": "self" },
            "lines": self.lines_shown(),
            "livemode": false,
            "metadata": self.metadata,
            "next_payment_attempt": self.next_attempt,
            "number": self.number,
            "parent": self.parent(),
            "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
            "period_end": self.period.1,
            "period_start": self.period.0,
            "status": self.status.as_str(),
            "status_transitions": {
                "finalized_at": self.finalized_at,
                "marked_uncollectible_at": self.marked_uncollectible_at,
                "paid_at": self.paid_at,
                "voided_at": self.voided_at,
            },
            "webhooks_delivered_at": self.created,
        });
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            object.extend(rest);
        }
        with_nulls(object, ABSENT)
    }
}

const ABSENT: &[&str] = &[
    "account_tax_ids",
    "application",
    "custom_fields",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "footer",
    "from_invoice",
    "last_finalization_error",
    "latest_revision",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
];

impl Invoice {
    fn subtotal(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount))
    }

    /// The ids of discounts, and the amount that each takes off, in minor units.
    fn discounts(&self) -> Vec<(String, i64)> {
        let mut all: Vec<(String, i64)> = Vec::new();
        for (id, amount) in self.lines.iter().flat_map(|line| &line.discounts) {
            match all.iter_mut().find(|(known, _)| known == id) {
                Some((_, sum)) => *sum = sum.saturating_add(*amount),
                None => all.push((id.clone(), *amount)),
            }
        }
        all
    }

    fn amounts(&self) -> Value {
        let (due, total) = (self.due(), self.total());
        json!({
            "id": self.id,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Sandbox",
            "amount_due": due,
            "amount_overpaid": 0,
            "amount_paid": self.amount_paid,
            "amount_paid_off_stripe": if self.paid_out_of_band { self.own_share() } else { 0 },
            "amount_remaining": self.remaining(),
            "amount_shipping": 0,
            "attempt_count": self.attempts,
            "attempted": self.attempts > 0,
            "billing_reason": self.billing_reason,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "ending_balance": self.ending_balance,
            "post_payment_credit_notes_amount": self.notes_after_payment,
            "pre_payment_credit_notes_amount": self.notes_before_payment,
            "starting_balance": self.starting_balance,
            "subtotal": self.subtotal(),
            "subtotal_excluding_tax": self.subtotal(),
            "total": total,
            "total_discount_amounts": self.discounts().iter().map(|(id, amount)| {
                json!({ "amount": amount, "discount": id })
            }).collect::<Vec<Value>>(),
            "total_excluding_tax": total,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
        })
    }

    fn lines_shown(&self) -> Value {
        let shown = self.lines.iter().take(LINES_SHOWN_MAX).map(|line| line.render(&self.id)).collect();
        let mut list = inner_list(shown, &format!("/v1/invoices/{}/lines", self.id));
        if let Some(list) = list.as_object_mut() {
            list.insert("has_more".to_owned(), json!(self.lines.len() > LINES_SHOWN_MAX));
            list.insert("total_count".to_owned(), json!(self.lines.len()));
        }
        list
    }

    fn parent(&self) -> Option<Value> {
        let subscription = self.subscription.as_ref()?;
        Some(json!({
            "quote_details": null,
            "subscription_details": { "metadata": self.subscription_metadata, "subscription": subscription },
            "type": "subscription_details",
        }))
    }

    /// All payments of the invoice, as `invoice_payments` shows them, with its own payment first.
    pub fn payments(&self) -> Vec<Value> {
        let others = self.other_payments.iter().enumerate().map(|(place, (intent, amount, at))| {
            json!({
                "id": format!("{}{place:02}", self.payment_id()),
                "object": "invoice_payment",
                "amount_paid": amount,
                "amount_requested": amount,
                "created": at,
                "currency": self.currency,
                "invoice": self.id,
                "is_default": false,
                "livemode": false,
                "payment": { "payment_intent": intent, "type": "payment_intent" },
                "status": "paid",
                "status_transitions": { "canceled_at": null, "paid_at": at },
            })
        });
        self.payment().into_iter().chain(others).collect()
    }

    /// The amount that the invoice's own payment is for, in minor units.
    fn own_share(&self) -> i64 {
        self.other_payments.iter().fold(self.due(), |left, (_, amount, _)| left.saturating_sub(*amount))
    }

    /// The invoice's own payment.
    pub fn payment(&self) -> Option<Value> {
        let intent = self.payment_intent.as_ref()?;
        let status = match self.status {
            InvoiceStatus::Paid if !self.paid_out_of_band && self.own_share() > 0 => "paid",
            InvoiceStatus::Draft | InvoiceStatus::Open => "open",
            InvoiceStatus::Paid | InvoiceStatus::Void | InvoiceStatus::Uncollectible => "canceled",
        };
        Some(json!({
            "id": self.payment_id(),
            "object": "invoice_payment",
            "amount_paid": (status == "paid").then(|| self.own_share()),
            "amount_requested": self.own_share(),
            "created": self.finalized_at.unwrap_or(self.created),
            "currency": self.currency,
            "invoice": self.id,
            "is_default": true,
            "livemode": false,
            "payment": { "payment_intent": intent, "type": "payment_intent" },
            "status": status,
            "status_transitions": {
                "canceled_at": self.voided_at,
                "paid_at": (status == "paid").then_some(self.paid_at).flatten(),
            },
        }))
    }
}
