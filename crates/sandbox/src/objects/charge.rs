//! How is a charge shown?

use serde_json::{Value, json};

use super::{Shown, no_address, with_nulls};
use crate::store::{
    Store,
    card::Decline,
    charge::{ChargeOutcome, SandboxCharge},
    payment_method::PaymentMethod,
};

impl Shown for SandboxCharge {
    fn render(&self, store: &Store) -> Value {
        let method = store.payment_methods.find(&self.payment_method);
        let paid = self.outcome == ChargeOutcome::Succeeded;
        let failure = self.failure();
        let object = json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount_captured,
            "amount_refunded": self.amount_refunded,
            "balance_transaction": paid.then(|| format!("txn_{}", self.id.trim_start_matches("ch_"))),
            "billing_details": method.map_or_else(
                || json!({ "address": no_address(), "email": null, "name": null, "phone": null, "tax_id": null }),
                PaymentMethod::billing_details,
            ),
            "calculated_statement_descriptor": "SANDBOX",
            "captured": self.captured,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_code": failure.map(|decline| decline.code),
            "failure_message": failure.map(|decline| decline.message),
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "outcome": self.outcome_shown(),
            "paid": paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "payment_method_details": method.map(|method| method.details(self.authenticated)),
            "receipt_url": format!("{}/receipts/{}", store.origin, self.id),
            "radar_options": {},
            "refunded": self.amount_refunded > 0 && self.amount_refunded == self.amount_captured,
            "status": self.status(),
        });
        with_nulls(object, ABSENT)
    }
}

const ABSENT: &[&str] = &[
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

impl SandboxCharge {
    const fn status(&self) -> &'static str {
        match self.outcome {
            ChargeOutcome::Pending => "pending",
            ChargeOutcome::Succeeded => "succeeded",
            ChargeOutcome::Failed(_) => "failed",
        }
    }

    const fn failure(&self) -> Option<Decline> {
        match self.outcome {
            ChargeOutcome::Failed(decline) => Some(decline),
            ChargeOutcome::Pending | ChargeOutcome::Succeeded => None,
        }
    }

    fn outcome_shown(&self) -> Value {
        let failure = self.failure();
        json!({
            "network_status": if failure.is_some() { "declined_by_network" } else { "approved_by_network" },
            "reason": failure.and_then(|decline| decline.decline_code),
            "risk_level": "normal",
            "seller_message": failure.map_or("Payment complete.", |decline| decline.message),
            "type": if failure.is_some() { "issuer_declined" } else { "authorized" },
        })
    }
}
