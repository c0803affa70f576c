//! What is a subscription to become, and when? Phases, one after the other.

use serde_json::{Value, json};

use super::{price::SandboxPrice, with_nulls};
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleStatus {
    Active,
    Completed,
    Released,
    Canceled,
}

impl ScheduleStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePhaseItem {
    pub price: String,
    pub quantity: i64,
    pub metadata: ObjectMetadata,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePhase {
    pub start: i64,
    /// The last phase may say none: the schedule is over when it begins.
    pub end: Option<i64>,
    pub items: Vec<SchedulePhaseItem>,
    /// What is done about the difference when the phase begins in the middle of a period.
    pub proration_behavior: String,
    pub metadata: ObjectMetadata,
}

#[derive(Clone, Debug)]
pub struct SubscriptionSchedule {
    pub id: String,
    pub created: i64,
    pub customer: String,
    pub currency: String,
    pub flexible: bool,
    pub status: ScheduleStatus,
    /// While it is active.
    pub subscription: Option<String>,
    pub released_subscription: Option<String>,
    pub phases: Vec<SchedulePhase>,
    /// `release` or `cancel`.
    pub end_behavior: String,
    pub metadata: ObjectMetadata,
    pub released_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub canceled_at: Option<i64>,
    /// Which phase it is in.
    pub place: usize,
}

impl Stored for SubscriptionSchedule {
    const KIND: &'static str = "subscription schedule";
    const OBJECT: &'static str = "subscription_schedule";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, state: &SandboxState) -> Value {
        let current = self.current().filter(|_| self.status == ScheduleStatus::Active);
        let billing_mode = if self.flexible {
            json!({ "flexible": { "proration_discounts": "included" }, "type": "flexible" })
        } else {
            json!({ "flexible": null, "type": "classic" })
        };
        let object = json!({
            "id": self.id,
            "object": "subscription_schedule",
            "billing_mode": billing_mode,
            "canceled_at": self.canceled_at,
            "completed_at": self.completed_at,
            "created": self.created,
            "current_phase": current.map(|phase| {
                json!({ "end_date": phase.end_shown(state), "start_date": phase.start })
            }),
            "customer": self.customer,
            "default_settings": default_settings(),
            "end_behavior": self.end_behavior,
            "livemode": false,
            "metadata": self.metadata,
            "phases": self.phases.iter().map(|phase| self.phase(phase, state)).collect::<Vec<Value>>(),
            "released_at": self.released_at,
            "released_subscription": self.released_subscription,
            "status": self.status.as_str(),
            "subscription": self.subscription,
        });
        with_nulls(object, &["application", "customer_account", "pause_schedules", "test_clock"])
    }
}

fn default_settings() -> Value {
    let object = json!({
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": "automatic",
        "collection_method": "charge_automatically",
        "invoice_settings": { "account_tax_ids": null, "days_until_due": null, "issuer": { "type": "self" } },
    });
    let absent = [
        "application_fee_percent",
        "billing_thresholds",
        "default_payment_method",
        "description",
        "on_behalf_of",
        "transfer_data",
    ];
    with_nulls(object, &absent)
}

const ABSENT_OF_PHASE: &[&str] = &[
    "application_fee_percent",
    "billing_cycle_anchor",
    "billing_thresholds",
    "collection_method",
    "default_payment_method",
    "description",
    "invoice_settings",
    "on_behalf_of",
    "transfer_data",
    "trial_end",
];

impl SubscriptionSchedule {
    pub fn current(&self) -> Option<&SchedulePhase> {
        self.phases.get(self.place)
    }

    pub fn next(&self) -> Option<&SchedulePhase> {
        self.phases.get(self.place.saturating_add(1))
    }

    /// When something is to happen.
    pub fn due(&self) -> Option<i64> {
        self.current().filter(|_| self.status == ScheduleStatus::Active).and_then(|phase| phase.end)
    }

    /// Whether its last phase has ended by `now`.
    pub fn is_over(&self, now: i64) -> bool {
        self.phases.last().and_then(|phase| phase.end).is_some_and(|end| end <= now)
    }

    fn phase(&self, phase: &SchedulePhase, state: &SandboxState) -> Value {
        let object = json!({
            "add_invoice_items": [],
            "currency": self.currency,
            "default_tax_rates": [],
            "discounts": [],
            "end_date": phase.end_shown(state),
            "items": phase.items.iter().map(|item| item.render(state)).collect::<Vec<Value>>(),
            "metadata": phase.metadata,
            "proration_behavior": phase.proration_behavior,
            "start_date": phase.start,
        });
        with_nulls(object, ABSENT_OF_PHASE)
    }
}

impl SchedulePhase {
    /// An end is always shown: without one, that of the first period.
    fn end_shown(&self, state: &SandboxState) -> i64 {
        let first = self.items.first().and_then(|item| state.prices.find(&item.price));
        let recurring = first.and_then(|price| price.recurring);
        let period =
            recurring.map(|recurring| crate::calendar::add(self.start, recurring.interval, recurring.count));
        self.end.or(period).unwrap_or(self.start)
    }
}

impl SchedulePhaseItem {
    fn render(&self, state: &SandboxState) -> Value {
        let plan = state.prices.find(&self.price).map(SandboxPrice::plan);
        json!({
            "billing_thresholds": null,
            "discounts": [],
            "metadata": self.metadata,
            "plan": plan.and_then(|plan| plan.get("id").cloned()),
            "price": self.price,
            "quantity": self.quantity,
            "tax_rates": [],
        })
    }
}
