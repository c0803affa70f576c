//! Which changes of a subscription were requested over the API? The payment provider reports their results.

use serde::{Deserialize, Serialize};

use super::{
    catalog::Interval,
    ids::{PlanId, ProviderId},
    subscription_change::CancelAt,
    time::Timestamp,
};

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
