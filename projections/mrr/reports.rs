//! What do events say that changes what a subscription brings? Reports on it, payments of it, and discounts.

use strum::{EnumString, IntoStaticStr};

use crate::domain::{
    discounts::{DiscountReport, Undiscounted},
    subscription::{StoredReport, TermsChange},
    time::Timestamp,
};

/// What one event says of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineReport {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub currency: String,
    /// In minor units; zero while the status is not revenue.
    pub monthly: i64,
    /// What the customer's discount is taken off, if one is. `None` while the status is not revenue.
    pub undiscounted: Option<Undiscounted>,
    pub effective_at: Timestamp,
    pub evidence: ReportPlace,
    pub stripe_event: Option<String>,
}

/// A report's place among those on its subscription. The order of the fields is the order of what counts more.
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

/// Whether a subscription is paid from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum PaymentState {
    /// An invoice waits for its money. That matters only where nothing was paid before.
    Awaited,
    /// An invoice will not be paid by itself.
    No,
    Yes,
}

impl PaymentState {
    /// As it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None` for a name that is none of them.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// What one event says of whether a subscription is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidReport {
    pub subscription: String,
    /// The event's place in the account.
    pub sequence: i64,
    pub state: PaymentState,
    pub effective_at: Timestamp,
    pub stripe_event: Option<String>,
}

/// What one event says of a customer's discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discounted {
    pub told: DiscountReport,
    /// The event's place in the account.
    pub sequence: i64,
    pub stripe_event: Option<String>,
}
