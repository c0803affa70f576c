//! How is a dispute shown, with what it withdraws from the balance?

use serde_json::{Map, Value, json};

use super::Shown;
use crate::store::{Store, dispute::SandboxDispute};

/// The time for submitting evidence, in seconds.
const ANSWER_S: i64 = 14 * 86_400;

/// The fee for a dispute, in minor units.
const FEE: i64 = 1_500;

const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Shown for SandboxDispute {
    fn render(&self, _store: &Store) -> Value {
        let mut evidence: Map<String, Value> =
            EVIDENCE.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        evidence.insert("enhanced_evidence".to_owned(), json!({}));
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": self.balance_transactions(),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": self.created.saturating_add(ANSWER_S),
                "enhanced_eligibility": {},
                "has_evidence": self.has_evidence,
                "past_due": false,
                "submission_count": i64::from(self.has_evidence),
            },
            "is_charge_refundable": !self.funds_withdrawn,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "card": { "brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4" },
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status.as_str(),
        })
    }
}

impl SandboxDispute {
    fn balance_transactions(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        if self.funds_withdrawn {
            rows.push(self.balance_transaction("w", self.amount.saturating_neg(), FEE));
        }
        if self.funds_reinstated {
            rows.push(self.balance_transaction("r", self.amount, 0));
        }
        rows
    }

    fn balance_transaction(&self, suffix: &str, amount: i64, fee: i64) -> Value {
        let details = if fee == 0 {
            Vec::new()
        } else {
            vec![json!({
                "amount": fee,
                "application": null,
                "currency": self.currency,
                "description": "Dispute fee",
                "type": "stripe_fee",
            })]
        };
        json!({
            "id": format!("txn_{}{suffix}", self.id.trim_start_matches("du_")),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": self.created,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": format!("Chargeback for {}", self.charge),
            "exchange_rate": null,
            "fee": fee,
            "fee_details": details,
            "net": amount.saturating_sub(fee),
            "reporting_category": "dispute",
            "source": self.id,
            "status": "available",
            "type": "adjustment",
        })
    }
}
