//! What does it cost, and how often?

use serde_json::{Value, json};

use super::with_nulls;
use crate::{call::ObjectMetadata, state::SandboxState, table::Stored};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxInterval {
    Day,
    Week,
    Month,
    Year,
}

impl SandboxInterval {
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurring {
    pub interval: SandboxInterval,
    pub count: u32,
}

#[derive(Clone, Debug)]
pub struct SandboxPrice {
    pub id: String,
    pub created: i64,
    pub active: bool,
    pub product: String,
    pub currency: String,
    /// Of one piece, in minor units.
    pub unit_amount: i64,
    pub recurring: Option<Recurring>,
    pub lookup_key: Option<String>,
    pub nickname: Option<String>,
    pub tax_behavior: String,
    pub metadata: ObjectMetadata,
}

impl Stored for SandboxPrice {
    const KIND: &'static str = "price";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn render(&self, _state: &SandboxState) -> Value {
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
    /// The older object of the same price, which subscription items still carry.
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
