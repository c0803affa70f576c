//! What is a person about to buy on the page?

use serde_json::{Value, json};

use super::{price::SandboxPrice, with_nulls};
use crate::{call::ObjectMetadata, objects::coupon::Redeemed, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutMode {
    Payment,
    Subscription,
    Setup,
}

impl CheckoutMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Subscription => "subscription",
            Self::Setup => "setup",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutStatus {
    Open,
    Complete,
    Expired,
}

impl CheckoutStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

#[derive(Clone, Debug)]
pub struct CheckoutItem {
    pub id: String,
    pub price: String,
    pub quantity: i64,
    /// Least and most, where a person may change it.
    pub adjustable: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
pub struct SandboxCheckout {
    pub id: String,
    pub created: i64,
    pub mode: CheckoutMode,
    pub status: CheckoutStatus,
    pub payment_status: &'static str,
    pub items: Vec<CheckoutItem>,
    pub currency: Option<String>,
    pub customer: Option<String>,
    pub customer_email: Option<String>,
    pub customer_creation: Option<String>,
    pub client_reference_id: Option<String>,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    pub expires_at: i64,
    pub metadata: ObjectMetadata,
    pub allow_promotion_codes: Option<bool>,
    pub method_always: bool,
    pub locale: Option<String>,
    /// For what is made when it is paid.
    pub subscription_metadata: ObjectMetadata,
    pub subscription_description: Option<String>,
    pub trial_end: Option<i64>,
    pub anchor: Option<i64>,
    /// A coupon, and the code that a person typed in for it.
    pub discounts: Vec<Redeemed>,
    pub payment_link: Option<String>,
    pub prorates: bool,
    pub trial_without_method: String,
    pub flexible: bool,
    pub intent_metadata: ObjectMetadata,
    pub intent_description: Option<String>,
    pub intent_manual_capture: bool,
    pub intent_future_usage: Option<String>,
    pub payment_intent: Option<String>,
    pub setup_intent: Option<String>,
    pub subscription: Option<String>,
    pub invoice: Option<String>,
    pub paid_by: Option<(Option<String>, Option<String>)>,
}

impl Stored for SandboxCheckout {
    const KIND: &'static str = "checkout session";
    const OBJECT: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, state: &SandboxState) -> Value {
        let amount = (self.mode != CheckoutMode::Setup).then(|| self.amount(state));
        let open = self.status == CheckoutStatus::Open;
        let off = self.off(state);
        let object = json!({
            "id": self.id,
            "object": "checkout.session",
            "allow_promotion_codes": self.allow_promotion_codes,
            "amount_subtotal": amount,
            "amount_total": amount.map(|amount| amount.saturating_sub(off)),
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "custom_fields": [],
            "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
            "customer": self.customer,
            "customer_creation": self.customer_creation,
            "customer_details": self.customer_details(),
            "customer_email": self.customer_email,
            "discounts": self.discounts.iter().map(|one| {
                json!({ "coupon": one.coupon, "promotion_code": one.promotion_code })
            }).collect::<Vec<Value>>(),
            "expires_at": self.expires_at,
            "invoice": self.invoice,
            "livemode": false,
            "locale": self.locale,
            "metadata": self.metadata,
            "mode": self.mode.as_str(),
            "payment_intent": self.payment_intent,
            "payment_link": self.payment_link,
            "payment_method_collection": if self.method_always { "always" } else { "if_required" },
            "payment_method_types": ["card"],
            "payment_status": self.payment_status,
            "setup_intent": self.setup_intent,
            "shipping_options": [],
            "status": self.status.as_str(),
            "subscription": self.subscription,
            "success_url": self.success_url,
            "total_details": amount.map(|_| json!({ "amount_discount": off, "amount_shipping": 0, "amount_tax": 0 })),
            "ui_mode": "hosted_page",
            "url": open.then(|| format!("{}/checkout/{}", state.origin, self.id)),
        });
        with_nulls(object, ABSENT)
    }
}

const ABSENT: &[&str] = &[
    "adaptive_pricing",
    "after_expiration",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "invoice_creation",
    "payment_method_options",
    "recovered_from",
    "saved_payment_method_options",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "wallet_options",
];

impl SandboxCheckout {
    fn customer_details(&self) -> Option<Value> {
        let (email, name) = match &self.paid_by {
            Some((email, name)) => (email.clone(), name.clone()),
            None => (Some(self.customer_email.clone()?), None),
        };
        Some(json!({
            "address": null,
            "business_name": null,
            "email": email,
            "individual_name": name,
            "name": name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": [],
        }))
    }

    /// What all lines cost; nothing is due today while a trial runs.
    pub fn amount(&self, state: &SandboxState) -> i64 {
        if self.trial_end.is_some() {
            let single = |item: &&CheckoutItem| {
                state.prices.find(&item.price).is_some_and(|price| price.recurring.is_none())
            };
            return self
                .items
                .iter()
                .filter(single)
                .fold(0, |sum, item| sum.saturating_add(cost(item, state)));
        }
        self.items.iter().fold(0_i64, |sum, item| sum.saturating_add(cost(item, state)))
    }

    /// How much cheaper its discounts make it.
    pub fn off(&self, state: &SandboxState) -> i64 {
        let amount = self.amount(state);
        let left = self
            .discounts
            .iter()
            .fold(amount, |left, one| left.saturating_sub(state.taken_off(&one.coupon, left)));
        amount.saturating_sub(left)
    }

    /// What is to be paid now.
    pub fn total(&self, state: &SandboxState) -> i64 {
        self.amount(state).saturating_sub(self.off(state))
    }

    pub fn line_items(&self, state: &SandboxState) -> Vec<Value> {
        self.items.iter().map(|item| render_item(item, state)).collect()
    }
}

fn cost(item: &CheckoutItem, state: &SandboxState) -> i64 {
    state.prices.find(&item.price).map_or(0, |price| price.unit_amount.saturating_mul(item.quantity))
}

fn render_item(item: &CheckoutItem, state: &SandboxState) -> Value {
    let price: Option<&SandboxPrice> = state.prices.find(&item.price);
    let product = price.and_then(|price| state.products.find(&price.product));
    let amount = cost(item, state);
    json!({
        "id": item.id,
        "object": "item",
        "adjustable_quantity": item.adjustable.map(|(minimum, maximum)| {
            json!({ "enabled": true, "minimum": minimum, "maximum": maximum })
        }),
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price.map_or("usd", |price| price.currency.as_str()),
        "description": product.map(|product| product.name.clone()),
        "metadata": {},
        "price": price.map(|price| price.render(state)),
        "quantity": item.quantity,
    })
}
