//! Which events change a subscription's revenue? Reports on it, its payments, and discounts.

use strum::{EnumString, IntoStaticStr};

use super::churn::RevenueStanding;

use crate::domain::{
    discounts::{DiscountReport, Undiscounted},
    subscription::{StoredReport, TermsChange},
    time::Timestamp,
};

/// What one event reports of a subscription's revenue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineReport {
    pub subscription: String,
    /// The event's sequence.
    pub sequence: i64,
    pub currency: String,
    /// In minor units; 0 while the status is not revenue.
    pub monthly: i64,
    /// The revenue before the customer's discount, if one applies. `None` while the status is not revenue.
    pub undiscounted: Option<Undiscounted>,
    pub effective_at: Timestamp,
    pub evidence: ReportPlace,
    pub standing: RevenueStanding,
    /// When the subscription will end, if that is set.
    pub cancel_at: Option<Timestamp>,
    pub stripe_event: Option<String>,
}

/// The place of a report among those on its subscription. The fields are in the order in which they are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportPlace {
    pub ended: bool,
    pub reported_at: Timestamp,
    pub rank: u8,
    pub id: String,
    pub step: Option<TermsChange>,
}

impl StoredReport for TimelineReport {
    fn is_end(&self) -> bool {
        self.evidence.ended
    }

    fn reported_at(&self) -> Timestamp {
        self.evidence.reported_at
    }

    fn rank(&self) -> u8 {
        self.evidence.rank
    }

    fn id(&self) -> &str {
        &self.evidence.id
    }

    fn step(&self) -> Option<&TermsChange> {
        self.evidence.step.as_ref()
    }
}

/// Whether a subscription is paid from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum PaymentState {
    /// An invoice awaits its payment, which only matters if nothing was paid before.
    Awaited,
    /// An invoice will not be paid any more, unless somebody does so by hand.
    No,
    Yes,
}

impl PaymentState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None`: no state has this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// What one event reports of whether a subscription is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidReport {
    pub subscription: String,
    /// The event's sequence.
    pub sequence: i64,
    pub state: PaymentState,
    pub effective_at: Timestamp,
    pub stripe_event: Option<String>,
}

/// What one event reports of a customer's discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discounted {
    pub told: DiscountReport,
    /// The event's sequence.
    pub sequence: i64,
    pub stripe_event: Option<String>,
}
