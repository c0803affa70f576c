//! What are people shown of a subscription? No decision depends on it.

use serde::{Deserialize, Serialize};

use super::{amount::Money, ids::ProviderId, time::Timestamp};

/// What a report says beside what the rules need. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReportedDetails {
    /// The price's id at Stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ProviderId>,
    /// The product's id at Stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProviderId>,
    /// What one costs each time, before discounts and taxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_start: Option<Timestamp>,
}

/// How often it is charged: every so many of a unit.
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
