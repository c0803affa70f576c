//! How is a price shown, and how as a plan?

use serde_json::{Value, json};

use super::{Shown, with_nulls};
use crate::{
    calendar::{Recurring, SandboxInterval},
    store::{Store, price::SandboxPrice},
};

impl Shown for SandboxPrice {
    fn render(&self, _store: &Store) -> Value {
        let recurring = self.recurring.map(|recurring| {
            json!({
                "interval": recurring.interval.as_str(),
                "interval_count": recurring.count,
                "meter": null,
                "trial_period_days": null,
                "usage_type": "licensed",
            })
        });
        let object = json!({
            "id": self.id,
            "object": "price",
            "active": self.active,
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "livemode": false,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "recurring": recurring,
            "tax_behavior": self.tax_behavior,
            "type": if self.recurring.is_some() { "recurring" } else { "one_time" },
            "unit_amount": self.unit_amount,
            "unit_amount_decimal": self.unit_amount.to_string(),
        });
        with_nulls(object, &["custom_unit_amount", "tiers_mode", "transform_quantity"])
    }
}

impl SandboxPrice {
    /// The price as a plan, the older object that subscription items still have.
    pub fn plan(&self) -> Value {
        let recurring = self.recurring.unwrap_or(Recurring { interval: SandboxInterval::Month, count: 1 });
        let object = json!({
            "id": self.id,
            "object": "plan",
            "active": self.active,
            "amount": self.unit_amount,
            "amount_decimal": self.unit_amount.to_string(),
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "interval": recurring.interval.as_str(),
            "interval_count": recurring.count,
            "livemode": false,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "usage_type": "licensed",
        });
        with_nulls(object, &["meter", "tiers_mode", "transform_usage", "trial_period_days"])
    }
}
