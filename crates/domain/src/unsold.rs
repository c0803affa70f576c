//! Why can something in the catalog not be bought?

use serde::Serialize;

use super::price::Interval;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unsold {
    /// It has no price: it is the plan of accounts that pay nothing.
    NoPrice,
    /// It has no price for this interval, only for these.
    Interval { intervals: Vec<Interval> },
    /// It is retired.
    Retired,
    /// The catalog does not sell chosen numbers of credits.
    NoTopUp,
    /// No price at the payment provider is configured for it.
    NoPriceId {
        /// The setting that would have its id.
        setting: Option<String>,
    },
}
