//! When is money earned that was paid in advance?
//!
//! Credits that were bought are earned when they are spent, or when nobody can spend them any more.
//! A subscription is earned with its time.
//! Until then the money is deferred: the business owes something for it.

mod lot;
mod spans;
mod subscriptions;

use serde::{Deserialize, Serialize};

pub use lot::{CreditLot, LotChange, LotColumn, lot_changes};
pub use spans::EarningSpan;
pub use subscriptions::{SubscriptionRevenue, is_revenue_fact, subscription_revenue};

/// What money was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevenueSource {
    /// Credits that were bought: packs, top-ups, and other grants with a cost.
    Credits,
    Subscriptions,
}

/// What happened to money that was paid in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevenueKind {
    /// It was paid.
    Sold,
    /// What it paid for was used, or its time has passed.
    Recognised,
    /// What it paid for can no longer be used.
    Breakage,
    /// It was returned before it was earned.
    Refunded,
    /// It was returned after it had been earned. What is deferred stays the same.
    Contra,
}

impl RevenueSource {
    pub const ALL: [Self; 2] = [Self::Credits, Self::Subscriptions];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credits => "credits",
            Self::Subscriptions => "subscriptions",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

impl RevenueKind {
    pub const ALL: [Self; 5] = [Self::Sold, Self::Recognised, Self::Breakage, Self::Refunded, Self::Contra];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Recognised => "recognised",
            Self::Breakage => "breakage",
            Self::Refunded => "refunded",
            Self::Contra => "contra",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What so much of it adds to what is deferred.
    #[must_use]
    pub const fn deferred(self, minor: i64) -> i64 {
        match self {
            Self::Sold => minor,
            Self::Recognised | Self::Breakage | Self::Refunded => minor.saturating_neg(),
            Self::Contra => 0,
        }
    }
}

/// `whole × part ÷ parts`, rounded towards zero; nothing of no parts.
fn share(whole: i64, part: i128, parts: i128) -> i64 {
    let product = i128::from(whole).saturating_mul(part);
    product.checked_div(parts).and_then(|share| share.try_into().ok()).unwrap_or(0)
}
