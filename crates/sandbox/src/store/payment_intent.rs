//! What is the state of a payment?

use strum::IntoStaticStr;

use super::{card::Decline, table::Stored};
use crate::{call::ObjectMetadata, failure::SandboxFailure};

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
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
        self.into_str()
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
    /// The payment method of the last attempt. A method that was declined is detached from the intent.
    pub last_method: Option<String>,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    pub setup_future_usage: Option<String>,
    pub return_url: Option<String>,
    pub canceled_at: Option<i64>,
    pub cancellation_reason: Option<String>,
    pub client_secret: String,
    pub metadata: ObjectMetadata,
    /// The invoice that it pays. Not shown since API version basil.
    pub invoice: Option<String>,
    /// When a bank debit is decided, in Unix seconds.
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
}

impl PaymentIntent {
    /// The error for an action that the status does not allow.
    pub fn unexpected(&self, action: &str) -> SandboxFailure {
        let message = format!(
            "You cannot {action} this PaymentIntent because it has a status of {}.",
            self.status.as_str()
        );
        SandboxFailure::invalid(message).code("payment_intent_unexpected_state")
    }
}
