//! How is a subscription shown, with its items?

use serde_json::{Value, json};

use super::{Shown, inner_list, with_nulls};
use crate::store::{
    Store,
    price::SandboxPrice,
    subscription::{PendingUpdate, SandboxSubscription, SubscriptionItem},
};

impl Shown for SandboxSubscription {
    fn render(&self, store: &Store) -> Value {
        let object = json!({
            "id": self.id,
            "object": "subscription",
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": self.billing_cycle_anchor,
            "billing_mode": self.billing_mode(),
            "billing_schedules": [],
            "cancel_at": self.cancel_at,
            "cancel_at_period_end": self.cancel_at_period_end,
            "canceled_at": self.canceled_at,
            "cancellation_details": {
                "comment": self.cancellation_comment,
                "feedback": self.cancellation_feedback,
                "reason": self.cancellation_reason,
            },
            "collection_method": self.collection_method,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "days_until_due": self.days_until_due,
            "default_payment_method": self.default_payment_method,
            "default_tax_rates": [],
            "description": self.description,
            "discounts": self.discounts,
            "ended_at": self.ended_at,
            "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
            "items": inner_list(
                self.items.iter().map(|item| self.item(item, store)).collect(),
                &format!("/v1/subscription_items?subscription={}", self.id),
            ),
            "latest_invoice": self.latest_invoice,
            "livemode": false,
            "metadata": self.metadata,
            "pause_collection": self.pause_collection.as_ref().map(|pause| {
                json!({ "behavior": pause.behavior, "resumes_at": pause.resumes_at })
            }),
            "payment_settings": {
                "payment_method_options": null,
                "payment_method_types": null,
                "save_default_payment_method": self.save_default_payment_method,
            },
            "pending_update": self.pending_update.as_ref().map(|update| update.render(store)),
            "schedule": self.schedule,
            "start_date": self.start_date,
            "status": self.status.as_str(),
            "status_details": self.status_details(),
            "trial_end": self.trial_end,
            "trial_settings": {
                "end_behavior": { "missing_payment_method": self.trial_without_method },
            },
            "trial_start": self.trial_start,
        });
        with_nulls(object, ABSENT)
    }
}

const ABSENT: &[&str] = &[
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "default_source",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "test_clock",
    "transfer_data",
];

impl PendingUpdate {
    fn render(&self, store: &Store) -> Value {
        let items: Vec<Value> = self.after.items.iter().map(|item| self.after.item(item, store)).collect();
        json!({
            "billing_cycle_anchor": self.resumes.then_some(self.after.billing_cycle_anchor),
            "cancel_at_period_end": null,
            "discount": null,
            "discounts": null,
            "expires_at": self.expires_at,
            "metadata": null,
            "subscription_items": if self.resumes { Value::Null } else { Value::Array(items) },
            "trial_end": null,
            "trial_from_plan": null,
        })
    }
}

impl SandboxSubscription {
    fn billing_mode(&self) -> Value {
        if self.flexible {
            json!({ "flexible": { "proration_discounts": "included" }, "type": "flexible" })
        } else {
            json!({ "flexible": null, "type": "classic" })
        }
    }

    fn status_details(&self) -> Option<Value> {
        self.paused.map(|(reason, at)| {
            json!({
                "paused": {
                    "subscription": { "type": reason },
                    "transitioned_at": at,
                    "type": "subscription",
                },
            })
        })
    }

    pub fn item(&self, item: &SubscriptionItem, store: &Store) -> Value {
        let price = store.prices.find(&item.price);
        json!({
            "id": item.id,
            "object": "subscription_item",
            "billing_thresholds": null,
            "created": item.created,
            "current_period_end": item.period_end,
            "current_period_start": item.period_start,
            "discounts": item.discounts,
            "metadata": item.metadata,
            "plan": price.map(SandboxPrice::plan),
            "price": price.map(|price| price.render(store)),
            "quantity": item.quantity,
            "subscription": self.id,
            "tax_rates": [],
        })
    }
}
