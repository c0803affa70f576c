//! What can be requested for a subscription, and what was? The payment provider reports the results.

use serde::{Deserialize, Serialize};

use super::{
    catalog::Interval,
    ids::{PlanId, ProviderId},
    time::Timestamp,
};

/// Something that can be done to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionAction {
    /// A change of the plan, interval or quantity.
    Change,
    Cancel,
    WithdrawCancellation,
    Pause,
    Resume,
}

/// When a cancellation takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelAt {
    Now,
    PeriodEnd,
}

/// What is paid for in each interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanSelection {
    pub plan: PlanId,
    pub interval: Interval,
    pub quantity: u32,
}

/// What was requested. The payment provider has carried it out; the ledger changes when the result is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Requested {
    /// A new subscription, without a checkout page.
    Begin {
        plan: PlanId,
        quantity: u32,
    },
    /// A change of the plan, interval or quantity, now or at the end of the period.
    Change {
        /// `None`: the catalog did not have the price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<PlanId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interval: Option<Interval>,
        quantity: u32,
    },
    /// A change at the end of the period is withdrawn.
    WithdrawChange,
    Cancel {
        at: CancelAt,
    },
    WithdrawCancellation,
    Pause,
    Resume,
}

/// A request that the payment provider has carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestedChange {
    pub subscription: ProviderId,
    pub requested: Requested,
    pub effective_at: Timestamp,
}
