//! Why did an account stop paying: because somebody asked for it, for want of payment, or for something else?
//!
//! What counts is the event that took the last of the account's revenue.
//! The events have no words of whoever left: Stripe has them, if somebody asked.

use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::domain::{
    subscription::{SubscriptionState, SubscriptionStatus},
    time::Timestamp,
};

/// What the reports on a subscription say of whether it is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum RevenueStanding {
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Incomplete,
    /// In either way of pausing.
    Paused,
    Ended,
    /// It belongs to another account.
    Moved,
}

impl RevenueStanding {
    #[must_use]
    pub const fn of(terms: &SubscriptionState) -> Self {
        if terms.moved_to.is_some() {
            return Self::Moved;
        }
        match terms.status {
            SubscriptionStatus::Cancelled => Self::Ended,
            SubscriptionStatus::Paused => Self::Paused,
            SubscriptionStatus::Unpaid => Self::Unpaid,
            SubscriptionStatus::Incomplete => Self::Incomplete,
            SubscriptionStatus::Trialing => Self::Trialing,
            SubscriptionStatus::Active | SubscriptionStatus::PastDue if terms.collection_paused => {
                Self::Paused
            }
            SubscriptionStatus::PastDue => Self::PastDue,
            SubscriptionStatus::Active => Self::Active,
        }
    }

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None`: no standing has this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Whether an end from here on is for want of payment, unless somebody asked for it.
    pub(super) const fn waits_for_money(self) -> bool {
        match self {
            Self::PastDue | Self::Unpaid | Self::Incomplete => true,
            Self::Trialing | Self::Active | Self::Paused | Self::Ended | Self::Moved => false,
        }
    }
}

/// What took the last of an account's revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ChurnCause {
    /// The subscription ended: as was scheduled or requested, or at once while it was paid.
    Cancelled,
    /// It ended because it was not paid, or goes on without being paid.
    Unpaid,
    /// It is paused, or its invoices are not collected.
    Paused,
    /// It belongs to another account.
    Moved,
    /// It goes on, and nothing is charged in this currency: a free plan, a discount of all, a trial, another currency.
    Uncharged,
}

impl ChurnCause {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None`: no cause has this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    #[must_use]
    pub const fn class(self) -> ChurnClass {
        match self {
            Self::Cancelled => ChurnClass::Voluntary,
            Self::Unpaid => ChurnClass::Involuntary,
            Self::Paused | Self::Moved | Self::Uncharged => ChurnClass::Other,
        }
    }
}

/// Whether somebody wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ChurnClass {
    Voluntary,
    Involuntary,
    Other,
}

impl ChurnClass {
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None`: no class has this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    #[must_use]
    pub fn causes(self) -> Vec<ChurnCause> {
        ChurnCause::iter().filter(|cause| cause.class() == self).collect()
    }
}

/// What was requested of a subscription: its cancellation, or that it goes on after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancellationRequest {
    pub subscription: String,
    /// The event's sequence.
    pub sequence: i64,
    /// It goes on after all.
    pub withdrawn: bool,
    pub effective_at: Timestamp,
}

/// A subscription that is past due, or set to end, and still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionAtRisk {
    pub subscription: String,
    pub currency: String,
    pub mrr: i64,
    pub past_due: bool,
    pub cancel_at: Option<Timestamp>,
    /// When the report took effect that says so.
    pub since: Timestamp,
}
