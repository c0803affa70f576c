//! How is a schedule shown, with its phases?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::{
    calendar,
    store::{
        Store,
        price::SandboxPrice,
        schedule::{SchedulePhase, SchedulePhaseItem, ScheduleStatus, SubscriptionSchedule},
    },
};

impl Shown for SubscriptionSchedule {
    fn render(&self, store: &Store) -> Value {
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
                json!({ "end_date": phase.end_shown(store), "start_date": phase.start })
            }),
            "customer": self.customer,
            "default_settings": default_settings(),
            "end_behavior": self.end_behavior,
            "livemode": false,
            "metadata": self.metadata,
            "phases": self.phases.iter().map(|phase| self.phase(phase, store)).collect::<Vec<Value>>(),
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
    fn phase(&self, phase: &SchedulePhase, store: &Store) -> Value {
        let object = json!({
            "add_invoice_items": [],
            "currency": self.currency,
            "default_tax_rates": [],
            "discounts": [],
            "end_date": phase.end_shown(store),
            "items": phase.items.iter().map(|item| item.render(store)).collect::<Vec<Value>>(),
            "metadata": phase.metadata,
            "proration_behavior": phase.proration_behavior,
            "start_date": phase.start,
        });
        with_nulls(object, ABSENT_OF_PHASE)
    }
}

impl SchedulePhase {
    /// The end of the phase, which is always shown. A phase without an end shows that of its first period.
    fn end_shown(&self, store: &Store) -> i64 {
        let first = self.items.first().and_then(|item| store.prices.find(&item.price));
        let recurring = first.and_then(|price| price.recurring);
        let period =
            recurring.map(|recurring| calendar::add(self.start, recurring.interval, recurring.count));
        self.end.or(period).unwrap_or(self.start)
    }
}

impl SchedulePhaseItem {
    fn render(&self, store: &Store) -> Value {
        let plan = store.prices.find(&self.price).map(SandboxPrice::plan);
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
