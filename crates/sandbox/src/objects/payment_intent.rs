//! How is a payment getting on?

use serde_json::{Value, json};

use super::{card::Decline, with_nulls};
use crate::{call::ObjectMetadata, failure::SandboxFailure, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentIntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
}

impl PaymentIntentStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Canceled => "canceled",
            Self::Succeeded => "succeeded",
        }
    }
}

#[derive(Clone, Debug)]
pub struct PaymentIntent {
    pub id: String,
    pub created: i64,
    /// In minor units.
    pub amount: i64,
    pub amount_capturable: i64,
    pub amount_received: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub status: PaymentIntentStatus,
    pub manual_capture: bool,
    pub latest_charge: Option<String>,
    pub last_error: Option<Decline>,
    /// What the last try was made with. A method that was declined is taken off.
    pub last_method: Option<String>,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    pub setup_future_usage: Option<String>,
    pub return_url: Option<String>,
    pub canceled_at: Option<i64>,
    pub cancellation_reason: Option<String>,
    pub client_secret: String,
    pub metadata: ObjectMetadata,
    /// The invoice that it pays for. Not shown since basil.
    pub invoice: Option<String>,
    /// When a bank debit is decided.
    pub settles_at: Option<i64>,
}

impl Stored for PaymentIntent {
    const KIND: &'static str = "payment_intent";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, state: &SandboxState) -> Value {
        let object = json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_details": { "tip": {} },
            "amount_capturable": self.amount_capturable,
            "amount_received": self.amount_received,
            "automatic_payment_methods": { "allow_redirects": "always", "enabled": true },
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": if self.manual_capture { "manual" } else { "automatic_async" },
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "last_payment_error": self.error(state),
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": self.next_action(state),
            "payment_method": self.payment_method,
            "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
            "payment_method_types": ["card"],
            "receipt_email": self.receipt_email,
            "setup_future_usage": self.setup_future_usage,
            "status": self.status.as_str(),
        });
        with_nulls(object, ABSENT)
    }
}

const ABSENT: &[&str] = &[
    "application",
    "application_fee_amount",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "review",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

impl PaymentIntent {
    fn next_action(&self, state: &SandboxState) -> Option<Value> {
        let url = format!("{}/authenticate/{}", state.origin, self.id);
        (self.status == PaymentIntentStatus::RequiresAction).then(|| {
            json!({
                "type": "redirect_to_url",
                "redirect_to_url": { "return_url": self.return_url, "url": url },
            })
        })
    }

    fn error(&self, state: &SandboxState) -> Option<Value> {
        let decline = self.last_error?;
        let method = self.last_method.as_deref().and_then(|id| state.payment_methods.find(id));
        let mut error = json!({
            "type": "card_error",
            "code": decline.code,
            "message": decline.message,
            "charge": self.latest_charge,
            "payment_method": method.map(|method| method.render(state)),
        });
        if let (Some(error), Some(decline_code)) = (error.as_object_mut(), decline.decline_code) {
            error.insert("decline_code".to_owned(), json!(decline_code));
        }
        Some(error)
    }

    /// Refuses what its status does not allow.
    pub fn unexpected(&self, action: &str) -> SandboxFailure {
        let message = format!(
            "You cannot {action} this PaymentIntent because it has a status of {}.",
            self.status.as_str()
        );
        SandboxFailure::invalid(message).code("payment_intent_unexpected_state")
    }
}
