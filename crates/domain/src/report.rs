//! What does one report say of a subscription?

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    discounts::{Discounts, Undiscounted},
    ids::{AccountId, PlanId, ProviderId},
    metadata::Metadata,
    reported_details::ReportedDetails,
    time::{Period, Timestamp},
};

/// What has changed, by one report of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionChange {
    TrialStarted,
    Started,
    Renewed,
    PlanChanged {
        from: Option<PlanId>,
    },
    PlanChangeScheduled,
    PastDue,
    Recovered,
    Paused,
    Resumed,
    CancellationScheduled,
    CancellationWithdrawn,
    Ended,
    /// The monthly revenue: by an add-on's price or quantity, or by a lasting discount.
    RevenueChanged,
    /// The account: the subscription belongs to another one from now on.
    Moved,
    /// The report names no change. Its state still counts.
    Unnamed,
}

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

    /// Whether nothing can be changed before an invoice is paid.
    #[must_use]
    pub const fn waits_for_money(self) -> bool {
        match self {
            Self::Incomplete | Self::PastDue | Self::Unpaid => true,
            Self::Trialing | Self::Active | Self::Paused | Self::Cancelled => false,
        }
    }

    /// The change of a first report, by its status.
    #[must_use]
    pub const fn reported(self) -> SubscriptionChange {
        match self {
            Self::Trialing => SubscriptionChange::TrialStarted,
            Self::Active | Self::Incomplete => SubscriptionChange::Started,
            Self::PastDue | Self::Unpaid => SubscriptionChange::PastDue,
            Self::Paused => SubscriptionChange::Paused,
            Self::Cancelled => SubscriptionChange::Ended,
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

/// The state of a whole subscription, by one report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SubscriptionState {
    pub subscription: ProviderId,
    pub status: SubscriptionStatus,
    pub plan: PlanId,
    pub quantity: u32,
    /// The monthly revenue, by the rules of MRR: without taxes, metered usage and coupons for a limited time.
    /// It only counts while the subscription is revenue.
    pub monthly: Money,
    /// The monthly revenue before the customer's discount, which is not a part of a report: see [`Discounts`].
    /// `None`: the subscription has discounts of its own instead, or an earlier release took the customer's discount
    /// off `monthly`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undiscounted: Option<Undiscounted>,
    pub period: Period,
    /// When it will end, if that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_end: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether invoices are made but not collected.
    #[serde(default)]
    pub collection_paused: bool,
    /// For how many days the plan holds after a failed payment, as the catalog said when it was reported.
    /// `None`: the subscription is not past due, or an earlier release without days of grace stored the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<u16>,
    /// How many credits a month the plan gives for a quantity of one, as the catalog said when it was reported.
    /// `None`: an earlier release stored the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Credits>,
    /// Whether the plan costs nothing, so that its credits do not depend on the quantity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free: bool,
    /// The account that has the subscription from this report on. `None`: the one in whose stream the report is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<AccountId>,
    /// What the caller attached to it when it was bought.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Details that are only shown. `None`: an earlier release stored the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Box<ReportedDetails>>,
    pub evidence: ReportOrder,
}

/// The place of a report among the reports on one subscription. The greatest one holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReportOrder {
    /// When Stripe made the report, to the second.
    pub reported_at: Timestamp,
    /// The rank among reports of one second: created before updated before ended.
    pub rank: u8,
    /// Orders reports that are equal so far. It says nothing about time, but does not depend on the order of arrival.
    pub id: ProviderId,
    /// What the report says that it changed.
    /// Of two reports of one second, the one that begins where the other ends is later, whatever their ids are: see
    /// [`in_order`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<TermsChange>,
}

/// The terms before and after a change. Equal terms have equal names, which say nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TermsChange {
    /// `None`: the report does not say what was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
}

impl SubscriptionState {
    /// Whether the subscription counts in MRR.
    /// Paused ones do not, in either way of pausing: while collection is paused the status stays active, but nothing is
    /// charged.
    /// Stripe's own dashboard counts those.
    #[must_use]
    pub const fn is_revenue(&self) -> bool {
        self.status.is_revenue() && !self.collection_paused
    }

    /// The monthly revenue at `at`: by this report and the customer's discount at that time.
    #[must_use]
    pub fn monthly_at(&self, at: Timestamp, discounts: &Discounts) -> Money {
        let currency = &self.monthly.currency;
        let less = self.undiscounted.as_ref().and_then(|undiscounted| {
            undiscounted.less(discounts.in_force(&undiscounted.customer, at)?, currency.as_str())
        });
        Money { minor: less.unwrap_or(self.monthly.minor), currency: currency.clone() }
    }

    /// When the days of grace of this report are over, if it is the first one that is past due.
    #[must_use]
    pub fn grace_end(&self) -> Option<Timestamp> {
        let days = self.grace_days.filter(|_| self.status == SubscriptionStatus::PastDue)?;
        Some(self.evidence.reported_at.plus(TimeDelta::days(i64::from(days))))
    }

    /// Whether it has ended by `at`, or was to end by then.
    #[must_use]
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.ended_at.is_some() || self.cancel_at.is_some_and(|end| end <= at)
    }

    /// Whether both have the same state, whenever they were made. Details that only one of them has are not compared.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let shown = if other.shown.is_some() && self.shown.is_some() { &other.shown } else { &self.shown };
        *self == Self { evidence: self.evidence.clone(), shown: shown.clone(), ..other.clone() }
    }

    /// The most important change since `before`. `None`: nothing has changed.
    #[must_use]
    pub fn change_since(&self, before: &Self) -> Option<SubscriptionChange> {
        if self.status != before.status
            || self.ended_at != before.ended_at
            || self.moved_to != before.moved_to
        {
            return Some(self.change_of_status(before.status));
        }
        if (&self.plan, self.quantity) != (&before.plan, before.quantity) {
            return Some(SubscriptionChange::PlanChanged { from: Some(before.plan.clone()) });
        }
        if self.monthly != before.monthly {
            return Some(SubscriptionChange::RevenueChanged);
        }
        if (self.period, self.trial_end) != (before.period, before.trial_end) {
            return Some(self.change_of_period());
        }
        self.change_of_plans(before)
    }

    /// A change of what is to come, or of whether its invoices are collected.
    fn change_of_plans(&self, before: &Self) -> Option<SubscriptionChange> {
        let either = |is_on: bool, on, off| if is_on { on } else { off };
        if self.cancel_at != before.cancel_at {
            let (on, off) =
                (SubscriptionChange::CancellationScheduled, SubscriptionChange::CancellationWithdrawn);
            return Some(either(self.cancel_at.is_some(), on, off));
        }
        if self.collection_paused != before.collection_paused {
            let (on, off) = (SubscriptionChange::Paused, SubscriptionChange::Resumed);
            return Some(either(self.collection_paused, on, off));
        }
        (!self.says_the_same_as(before)).then_some(SubscriptionChange::RevenueChanged)
    }

    fn change_of_status(&self, before: SubscriptionStatus) -> SubscriptionChange {
        match (self.status, before) {
            (SubscriptionStatus::Active | SubscriptionStatus::Trialing, SubscriptionStatus::Paused) => {
                SubscriptionChange::Resumed
            }
            (SubscriptionStatus::Active, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid) => {
                SubscriptionChange::Recovered
            }
            (status, _) => status.reported(),
        }
    }

    /// A change of the trial: one that is extended is reported as one that starts, with its new end.
    const fn change_of_period(&self) -> SubscriptionChange {
        match self.status {
            SubscriptionStatus::Trialing => SubscriptionChange::TrialStarted,
            SubscriptionStatus::Incomplete
            | SubscriptionStatus::Active
            | SubscriptionStatus::PastDue
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Paused
            | SubscriptionStatus::Cancelled => SubscriptionChange::Renewed,
        }
    }
}
