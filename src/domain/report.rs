//! What does one report say of a subscription?

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    names::{PlanId, ProviderId},
    time::{Period, Timestamp},
};

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    Incomplete,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Paused,
    Cancelled,
}

impl SubscriptionStatus {
    /// Whether the plan's features and limits hold in this status.
    #[must_use]
    pub const fn gives_access(self) -> bool {
        match self {
            Self::Trialing | Self::Active | Self::PastDue => true,
            Self::Incomplete | Self::Unpaid | Self::Paused | Self::Cancelled => false,
        }
    }

    /// Whether a subscription in this status counts in MRR, unless its collection is paused.
    #[must_use]
    const fn is_revenue(self) -> bool {
        match self {
            Self::Active | Self::PastDue => true,
            Self::Incomplete | Self::Trialing | Self::Unpaid | Self::Paused | Self::Cancelled => false,
        }
    }
}

/// What a subscription is, whole, as one report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SubscriptionTerms {
    pub subscription: ProviderId,
    pub status: SubscriptionStatus,
    pub plan: PlanId,
    pub quantity: u32,
    /// What is charged each month, normalised as in the rules for MRR: taxes, metered usage and passing
    /// coupons left out. Counts only while the subscription is revenue.
    pub monthly: Money,
    pub period: Period,
    /// When it will end, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Invoices are made and not collected.
    #[serde(default)]
    pub collection_paused: bool,
    /// For how many days the plan holds after a payment has failed, as the catalog said when it was reported.
    /// `None`: the subscription is not past due, or was reported by a release that knew no grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<u16>,
    /// The credits that one of the plan gives a month, as the catalog said when it was reported. `None`: it was reported
    /// by a release that did not keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Credits>,
    pub evidence: Evidence,
}

/// Where a report stands among the reports on one subscription. The greatest one holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// When Stripe made the report, to the second.
    pub reported_at: Timestamp,
    /// Among reports of one second: created before updated before ended.
    pub rank: u8,
    /// Among reports that are equal so far; says nothing, but is the same in any order of arrival.
    pub id: ProviderId,
}

impl SubscriptionTerms {
    /// Which of two reports on a subscription holds: the greater one.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.evidence.cmp(&other.evidence)
    }

    /// Whether the subscription counts in MRR. Paused ones do not, in either way of pausing: while collection is
    /// paused the status stays active, and nothing is charged. Stripe's own dashboard counts these.
    #[must_use]
    pub const fn is_revenue(&self) -> bool {
        self.status.is_revenue() && !self.collection_paused
    }

    /// When the grace that this report gives is over, if it is the first one of its arrears.
    #[must_use]
    pub fn grace_end(&self) -> Option<Timestamp> {
        let days = self.grace_days.filter(|_| self.status == SubscriptionStatus::PastDue)?;
        Some(self.evidence.reported_at.plus(TimeDelta::days(i64::from(days))))
    }

    /// Whether it has ended, or was to end by then.
    #[must_use]
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.ended_at.is_some() || self.cancel_at.is_some_and(|end| end <= at)
    }
}
