//! How is a credit note shown?

use serde_json::{Value, json};

use super::{Shown, inner_list, with_nulls};
use crate::store::{
    Store,
    credit_note::{NoteLine, SandboxCreditNote},
};

impl Shown for SandboxCreditNote {
    fn render(&self, store: &Store) -> Value {
        let post_payment = self.amount.saturating_sub(self.pre_payment);
        let refund = |(refund, amount): &(String, i64)| {
            json!({
                "amount_refunded": amount,
                "payment_record_refund": null,
                "refund": refund,
                "type": "refund",
            })
        };
        let object = json!({
            "id": self.id,
            "object": "credit_note",
            "amount": self.amount,
            "amount_shipping": 0,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_balance_transaction": (self.credited > 0)
                .then(|| format!("cbtxn_{}", self.id.trim_start_matches("cn_"))),
            "discount_amount": 0,
            "discount_amounts": [],
            "effective_at": self.created,
            "invoice": self.invoice,
            "lines": inner_list(
                self.lines.iter().map(NoteLine::render).collect(),
                &format!("/v1/credit_notes/{}/lines", self.id),
            ),
            "livemode": false,
            "memo": self.memo,
            "metadata": self.metadata,
            "number": self.number,
            "out_of_band_amount": (self.out_of_band > 0).then_some(self.out_of_band),
            "pdf": format!("{}/credit_notes/{}/pdf", store.origin, self.id),
            "post_payment_amount": post_payment,
            "pre_payment_amount": self.pre_payment,
            "pretax_credit_amounts": [],
            "reason": self.reason,
            "refunds": self.refunds.iter().map(refund).collect::<Vec<Value>>(),
            "status": if self.voided_at.is_some() { "void" } else { "issued" },
            "subtotal": self.amount,
            "subtotal_excluding_tax": self.amount,
            "total": self.amount,
            "total_excluding_tax": self.amount,
            "total_taxes": [],
            "type": match (self.pre_payment, post_payment) {
                (0, _) => "post_payment",
                (_, 0) => "pre_payment",
                (_, _) => "mixed",
            },
            "voided_at": self.voided_at,
        });
        with_nulls(object, &["customer_account", "shipping_cost"])
    }
}

impl NoteLine {
    fn render(&self) -> Value {
        let of_invoice = self.invoice_line.is_some();
        json!({
            "id": self.id,
            "object": "credit_note_line_item",
            "amount": self.amount,
            "description": self.description,
            "discount_amount": 0,
            "discount_amounts": [],
            "invoice_line_item": self.invoice_line,
            "livemode": false,
            "metadata": {},
            "pretax_credit_amounts": [],
            "quantity": if of_invoice { Value::Null } else { json!(1) },
            "tax_rates": [],
            "taxes": [],
            "type": if of_invoice { "invoice_line_item" } else { "custom_line_item" },
            "unit_amount": if of_invoice { Value::Null } else { json!(self.amount) },
            "unit_amount_decimal": null,
        })
    }
}
