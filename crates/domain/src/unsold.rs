//! Why is something not for sale that the catalog knows?

use serde::Serialize;

use super::price::Interval;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unsold {
    /// It has no price: it is the plan of everybody who pays for nothing.
    NoPrice,
    /// It has a price for another interval.
    Interval { intervals: Vec<Interval> },
    /// It is retired.
    Retired,
    /// The catalog does not sell chosen amounts of credits.
    NoTopUp,
    /// No price at the payment provider is set for it.
    NoPriceId {
        /// The setting that would name it.
        setting: Option<String>,
    },
}
