//! What is paid for again and again?

use serde_json::{Value, json};

use super::{inner_list, line::SandboxInvoiceLine, price::SandboxPrice, with_nulls};
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxSubscriptionStatus {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Canceled,
}

impl SandboxSubscriptionStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }

    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether its periods follow each other.
    pub const fn renews(self) -> bool {
        matches!(self, Self::Active | Self::PastDue | Self::Unpaid | Self::Trialing)
    }
}

#[derive(Clone, Debug)]
pub struct SubscriptionItem {
    pub id: String,
    pub created: i64,
    pub price: String,
    pub quantity: i64,
    pub metadata: ObjectMetadata,
    pub period_start: i64,
    pub period_end: i64,
    pub discounts: Vec<String>,
}

/// What happens to invoices while nothing is collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseCollection {
    pub behavior: String,
    pub resumes_at: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct SandboxSubscription {
    pub id: String,
    pub created: i64,
    /// When it began, which may be before it was made.
    pub start_date: i64,
    pub customer: String,
    pub status: SandboxSubscriptionStatus,
    pub items: Vec<SubscriptionItem>,
    pub currency: String,
    pub billing_cycle_anchor: i64,
    /// Whether the newer billing mode is on, in which a cancellation only sets `cancel_at`.
    pub flexible: bool,
    pub cancel_at: Option<i64>,
    pub cancel_at_period_end: bool,
    pub canceled_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub cancellation_reason: Option<String>,
    pub cancellation_comment: Option<String>,
    pub cancellation_feedback: Option<String>,
    pub collection_method: String,
    pub days_until_due: Option<i64>,
    pub default_payment_method: Option<String>,
    pub discounts: Vec<String>,
    pub description: Option<String>,
    pub latest_invoice: Option<String>,
    pub metadata: ObjectMetadata,
    pub pause_collection: Option<PauseCollection>,
    pub save_default_payment_method: String,
    pub trial_start: Option<i64>,
    pub trial_end: Option<i64>,
    /// What happens when a trial ends and there is nothing to pay with.
    pub trial_without_method: String,
    pub trial_end_told: bool,
    /// Why it is paused, and since when.
    pub paused: Option<(&'static str, i64)>,
    /// What changes it when a phase ends.
    pub schedule: Option<String>,
    /// What it will be when an invoice is paid.
    pub pending_update: Option<PendingUpdate>,
    /// Prorations that wait for the next invoice.
    pub pending: Vec<SandboxInvoiceLine>,
}

/// A change that waits for its invoice.
#[derive(Clone, Debug)]
pub struct PendingUpdate {
    pub after: Box<SandboxSubscription>,
    pub invoice: String,
    pub expires_at: i64,
    /// Whether it is a resumption, which is shown by its anchor.
    pub resumes: bool,
}

impl Stored for SandboxSubscription {
    const KIND: &'static str = "subscription";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, state: &SandboxState) -> Value {
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
                self.items.iter().map(|item| self.item(item, state)).collect(),
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
            "pending_update": self.pending_update.as_ref().map(|update| update.render(state)),
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
    fn render(&self, state: &SandboxState) -> Value {
        let items: Vec<Value> = self.after.items.iter().map(|item| self.after.item(item, state)).collect();
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

    pub fn item(&self, item: &SubscriptionItem, state: &SandboxState) -> Value {
        let price = state.prices.find(&item.price);
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
            "price": price.map(|price| price.render(state)),
            "quantity": item.quantity,
            "subscription": self.id,
            "tax_rates": [],
        })
    }

    pub fn period_start(&self) -> i64 {
        self.items.first().map_or(self.created, |item| item.period_start)
    }

    pub fn period_end(&self) -> i64 {
        self.items.first().map_or(self.created, |item| item.period_end)
    }

    /// When it is to end, by a date or with its period.
    pub fn ends_at(&self) -> Option<i64> {
        self.cancel_at.or_else(|| self.cancel_at_period_end.then(|| self.period_end()))
    }

    pub fn is_automatic(&self) -> bool {
        self.collection_method == "charge_automatically"
    }
}
