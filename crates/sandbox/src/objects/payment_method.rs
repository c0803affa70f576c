//! How is a payment method shown, on its own and on a charge?

use serde_json::{Value, json};

use super::{Shown, no_address, with_nulls};
use crate::store::{Store, card::MethodKind, payment_method::PaymentMethod};

impl Shown for PaymentMethod {
    fn render(&self, _store: &Store) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": self.billing_details(),
            "created": self.created,
            "customer": self.customer,
            "livemode": false,
            "metadata": self.metadata,
            "type": self.card.kind(),
        });
        if let Some(object) = object.as_object_mut() {
            object.insert(self.card.kind().to_owned(), self.kind_details());
        }
        object
    }
}

impl PaymentMethod {
    pub fn billing_details(&self) -> Value {
        json!({
            "address": no_address(),
            "email": self.email,
            "name": self.name,
            "phone": null,
            "tax_id": null,
        })
    }

    fn kind_details(&self) -> Value {
        match self.card.kind {
            MethodKind::Card { .. } => self.card_details(),
            MethodKind::Ach => json!({
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "SANDBOX BANK",
                "financial_connections_account": null,
                "fingerprint": "SandboxDebit0001",
                "last4": self.card.last4(),
                "networks": { "preferred": "ach", "supported": ["ach"] },
                "routing_number": "110000000",
                "status_details": null,
            }),
            MethodKind::Sepa => json!({
                "bank_code": "37040044",
                "branch_code": "",
                "country": "DE",
                "fingerprint": "SandboxDebit0002",
                "generated_from": { "charge": null, "setup_attempt": null },
                "last4": self.card.last4(),
            }),
            MethodKind::Bacs => json!({
                "fingerprint": "SandboxDebit0003",
                "last4": self.card.last4(),
                "sort_code": "108800",
            }),
        }
    }

    fn card_details(&self) -> Value {
        let card = json!({
            "brand": self.card.brand(),
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "country": "US",
            "display_brand": self.card.brand(),
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": format!("Sandbox{}", self.card.last4()),
            "funding": self.card.funding(),
            "last4": self.card.last4(),
            "networks": { "available": [self.card.brand()], "preferred": null },
            "three_d_secure_usage": { "supported": true },
        });
        with_nulls(card, &["generated_from", "regulated_status", "wallet"])
    }

    /// The payment method as a charge shows it.
    pub fn details(&self, authenticated: bool) -> Value {
        let kind = self.card.kind();
        if !matches!(self.card.kind, MethodKind::Card { .. }) {
            let mut object = json!({ "type": kind });
            if let Some(object) = object.as_object_mut() {
                object.insert(kind.to_owned(), self.kind_details());
            }
            return object;
        }
        let secure = authenticated.then(|| {
            json!({
                "authentication_flow": "challenge",
                "result": "authenticated",
                "result_reason": null,
                "version": "2.2.0",
            })
        });
        let card = json!({
            "brand": self.card.brand(),
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "country": "US",
            "exp_month": self.exp_month,
            "exp_year": self.exp_year,
            "fingerprint": format!("Sandbox{}", self.card.last4()),
            "funding": self.card.funding(),
            "last4": self.card.last4(),
            "network": self.card.brand(),
            "three_d_secure": secure,
        });
        let card = with_nulls(card, &["amount_authorized", "authorization_code", "installments", "mandate"]);
        json!({ "type": "card", "card": card })
    }
}
