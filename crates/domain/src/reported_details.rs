//! Which details of a subscription are only shown? No decision depends on them.

use serde::{Deserialize, Serialize};

use super::{amount::Money, ids::ProviderId, time::Timestamp};

/// What a report says besides what the rules need. `None`: the report does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReportedDetails {
    /// The price's id at Stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ProviderId>,
    /// The product's id at Stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProviderId>,
    /// The price for a quantity of one, for each interval, before discounts and taxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_start: Option<Timestamp>,
}

/// How often it is charged: once for each `count` units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Every {
    pub unit: EveryUnit,
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EveryUnit {
    Day,
    Week,
    Month,
    Year,
}
