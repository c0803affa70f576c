//! What has been given back?

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    Succeeded,
    Failed,
}

impl RefundStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug)]
pub struct SandboxRefund {
    pub id: String,
    pub created: i64,
    pub amount: i64,
    pub charge: String,
    pub payment_intent: String,
    pub currency: String,
    pub reason: Option<String>,
    pub status: RefundStatus,
    pub metadata: ObjectMetadata,
    /// When it turns out that it cannot be paid out.
    pub fails_at: Option<i64>,
}

impl Stored for SandboxRefund {
    const KIND: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &SandboxState) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": format!("txn_{}", self.id.trim_start_matches("re_")),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "status": self.status.as_str(),
        });
        if let (RefundStatus::Failed, Some(object)) = (self.status, object.as_object_mut()) {
            object.insert("failure_reason".to_owned(), json!("expired_or_canceled_card"));
        }
        with_nulls(object, &["receipt_number", "source_transfer_reversal", "transfer_reversal"])
    }
}
