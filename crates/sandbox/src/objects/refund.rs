//! How is a refund shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{
    Store,
    refund::{RefundStatus, SandboxRefund},
};

impl Shown for SandboxRefund {
    fn render(&self, _store: &Store) -> Value {
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
