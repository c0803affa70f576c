//! How is a payment shown?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{
    Store,
    payment_intent::{PaymentIntent, PaymentIntentStatus},
};

impl Shown for PaymentIntent {
    fn render(&self, store: &Store) -> Value {
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
            "last_payment_error": self.error(store),
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": self.next_action(store),
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
    fn next_action(&self, store: &Store) -> Option<Value> {
        let url = format!("{}/authenticate/{}", store.origin, self.id);
        (self.status == PaymentIntentStatus::RequiresAction).then(|| {
            json!({
                "type": "redirect_to_url",
                "redirect_to_url": { "return_url": self.return_url, "url": url },
            })
        })
    }

    fn error(&self, store: &Store) -> Option<Value> {
        let decline = self.last_error?;
        let method = self.last_method.as_deref().and_then(|id| store.payment_methods.find(id));
        let mut error = json!({
            "type": "card_error",
            "code": decline.code,
            "message": decline.message,
            "charge": self.latest_charge,
            "payment_method": method.map(|method| method.render(store)),
        });
        if let (Some(error), Some(decline_code)) = (error.as_object_mut(), decline.decline_code) {
            error.insert("decline_code".to_owned(), json!(decline_code));
        }
        Some(error)
    }
}
