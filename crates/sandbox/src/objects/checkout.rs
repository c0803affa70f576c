//! How is a checkout session shown, and what does it cost?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::store::{
    Store,
    checkout::{CheckoutItem, CheckoutMode, CheckoutStatus, SandboxCheckout},
    price::SandboxPrice,
};

impl Shown for SandboxCheckout {
    fn render(&self, store: &Store) -> Value {
        let amount = (self.mode != CheckoutMode::Setup).then(|| self.amount(store));
        let open = self.status == CheckoutStatus::Open;
        let off = self.off(store);
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
            "url": open.then(|| format!("{}/checkout/{}", store.origin, self.id)),
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

    /// The total of all lines before discounts, in minor units. With a trial, subscribed items cost nothing today.
    pub fn amount(&self, store: &Store) -> i64 {
        if self.trial_end.is_some() {
            let single = |item: &&CheckoutItem| {
                store.prices.find(&item.price).is_some_and(|price| price.recurring.is_none())
            };
            return self
                .items
                .iter()
                .filter(single)
                .fold(0, |sum, item| sum.saturating_add(cost(item, store)));
        }
        self.items.iter().fold(0_i64, |sum, item| sum.saturating_add(cost(item, store)))
    }

    /// What the discounts take off, in minor units.
    pub fn off(&self, store: &Store) -> i64 {
        let amount = self.amount(store);
        let left = self
            .discounts
            .iter()
            .fold(amount, |left, one| left.saturating_sub(taken_off(&one.coupon, left, store)));
        amount.saturating_sub(left)
    }

    /// The amount to pay now, in minor units.
    pub fn total(&self, store: &Store) -> i64 {
        self.amount(store).saturating_sub(self.off(store))
    }

    pub fn line_items(&self, store: &Store) -> Vec<Value> {
        self.items.iter().map(|item| render_item(item, store)).collect()
    }
}

fn cost(item: &CheckoutItem, store: &Store) -> i64 {
    store.prices.find(&item.price).map_or(0, |price| price.unit_amount.saturating_mul(item.quantity))
}

fn render_item(item: &CheckoutItem, store: &Store) -> Value {
    let price: Option<&SandboxPrice> = store.prices.find(&item.price);
    let product = price.and_then(|price| store.products.find(&price.product));
    let amount = cost(item, store);
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
        "price": price.map(|price| price.render(store)),
        "quantity": item.quantity,
    })
}

fn taken_off(coupon: &str, amount: i64, store: &Store) -> i64 {
    store.coupons.find(coupon).map_or(0, |coupon| coupon.takes_off(amount))
}
