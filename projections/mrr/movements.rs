//! What is a movement of the MRR, which kinds are there, and what changed on one day?

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::churn::ChurnCause;

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum MovementKind {
    /// From zero, for the first time in this currency.
    New,
    /// From zero, after an earlier subscription.
    Reactivation,
    Expansion,
    Contraction,
    /// To zero.
    Churn,
}

impl MovementKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// `None`: no kind has this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    pub(super) const fn of(before: i64, after: i64, paid_before: bool) -> Option<Self> {
        match (before, after) {
            (before, after) if before == after => None,
            (_, 0) => Some(Self::Churn),
            (0, _) if paid_before => Some(Self::Reactivation),
            (0, _) => Some(Self::New),
            (before, after) if after > before => Some(Self::Expansion),
            (_, _) => Some(Self::Contraction),
        }
    }
}

/// The change of one account on one day, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayMovement {
    pub kind: MovementKind,
    pub before: i64,
    pub after: i64,
    /// The event of the last report that took effect on this day in this currency.
    pub sequence: i64,
    pub stripe_event: Option<String>,
    pub subscription: String,
    /// What took the last of the revenue, if it is churn.
    pub cause: Option<ChurnCause>,
}

impl DayMovement {
    #[must_use]
    pub const fn change(&self) -> i64 {
        // Neither is negative, so the difference fits.
        self.after.saturating_sub(self.before)
    }
}

/// A figure does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// The movements of one account, by currency and day.
pub type AccountMovements = BTreeMap<(String, NaiveDate), DayMovement>;
