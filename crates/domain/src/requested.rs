//! What can be asked of a subscription, and what was? The payment provider reports the results.

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
    /// To another plan, interval or quantity.
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

/// What is paid for, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanSelection {
    pub plan: PlanId,
    pub interval: Interval,
    pub quantity: u32,
}

/// What somebody asked for. The payment provider has done it; the ledger follows when that is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Requested {
    /// To begin, without a page.
    Begin {
        plan: PlanId,
        quantity: u32,
    },
    /// To become something else, now or at the end of the period.
    Change {
        /// `None`: the catalog did not have the price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<PlanId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interval: Option<Interval>,
        quantity: u32,
    },
    /// A change that waits is not made.
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
