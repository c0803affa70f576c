//! What does a customer's bank want back?

use serde_json::{Map, Value, json};

use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStatus {
    WarningNeedsResponse,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    Prevented,
}

impl DisputeStatus {
    pub const ALL: [Self; 7] = [
        Self::WarningNeedsResponse,
        Self::WarningClosed,
        Self::NeedsResponse,
        Self::UnderReview,
        Self::Won,
        Self::Lost,
        Self::Prevented,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Prevented => "prevented",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub const fn is_open(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::NeedsResponse | Self::UnderReview)
    }
}

#[derive(Clone, Debug)]
pub struct SandboxDispute {
    pub id: String,
    pub created: i64,
    pub amount: i64,
    pub charge: String,
    pub payment_intent: String,
    pub currency: String,
    pub reason: String,
    pub status: DisputeStatus,
    pub funds_withdrawn: bool,
    pub funds_reinstated: bool,
    pub has_evidence: bool,
    pub metadata: ObjectMetadata,
}

/// How long there is to answer, in seconds.
const ANSWER_S: i64 = 14 * 86_400;
/// What a dispute costs, in minor units.
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

impl Stored for SandboxDispute {
    const KIND: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &SandboxState) -> Value {
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
