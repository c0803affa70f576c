//! What is a line of the statement about, and which events can have such a line?

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use crate::credits::Source;

/// What a line is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum LineKind {
    Allocation,
    Rollover,
    Signup,
    TopUp,
    Bonus,
    Refund,
    Adjustment,
    Usage,
    Expiry,
    ExpiryReversed,
    Clawback,
    ClawbackReversed,
    Freeze,
    Unfreeze,
    Hold,
    HoldReturned,
    DebtMovedIn,
    DebtPaid,
    DebtForgiven,
}

impl LineKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// The types of the events that can have a line of this kind.
    #[must_use]
    pub const fn event_types(self) -> &'static [&'static str] {
        match self {
            Self::Allocation | Self::Rollover | Self::Signup | Self::TopUp | Self::Bonus => {
                &["CreditsGranted"]
            }
            Self::Refund => &["CreditsGranted", "CreditsRefunded"],
            Self::Adjustment => &["CreditsGranted", "CreditsAdjusted"],
            Self::Usage => &["CreditsDeducted", "HoldCommitted", "HoldSpent"],
            Self::Expiry => &["CreditsExpired"],
            Self::ExpiryReversed => &["GrantEndMoved"],
            Self::Clawback => &["CreditsClawedBack"],
            Self::ClawbackReversed => &["CreditsRestored"],
            Self::Freeze => &["GrantFrozen"],
            Self::Unfreeze => &["GrantUnfrozen"],
            Self::Hold => &["CreditsHeld", "HoldToppedUp"],
            Self::HoldReturned => {
                &["HoldCommitted", "HoldReleased", "HoldExpired", "HoldSpent", "HoldReduced"]
            }
            Self::DebtMovedIn => &["AccountOpened"],
            Self::DebtPaid => &["DebtPaid"],
            Self::DebtForgiven => &["DebtForgiven"],
        }
    }

    /// The description of a line of this kind, if the event has none.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Allocation => "Credits of the plan",
            Self::Rollover => "Rolled over from the month before",
            Self::Signup => "Credits for signing up",
            Self::TopUp => "Credits that were bought",
            Self::Bonus => "Credits that were given",
            Self::Refund => "Credits that were refunded",
            Self::Adjustment => "Adjusted",
            Self::Usage => "Credits that were used",
            Self::Expiry => "Credits that ended",
            Self::ExpiryReversed => "Credits that did not end after all",
            Self::Clawback => "Taken back with a payment",
            Self::ClawbackReversed => "Returned with a payment",
            Self::Freeze => "Frozen by a dispute",
            Self::Unfreeze => "No longer frozen",
            Self::Hold => "Set aside",
            Self::HoldReturned => "No longer held",
            Self::DebtMovedIn => "Debt that was imported",
            Self::DebtPaid => "Debt that was paid",
            Self::DebtForgiven => "Debt that was forgiven",
        }
    }
}

impl fmt::Display for LineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl From<Source> for LineKind {
    fn from(source: Source) -> Self {
        match source {
            Source::Allocation => Self::Allocation,
            Source::Rollover => Self::Rollover,
            Source::Signup => Self::Signup,
            Source::TopUp => Self::TopUp,
            Source::Bonus => Self::Bonus,
            Source::Refund => Self::Refund,
            Source::Adjustment => Self::Adjustment,
        }
    }
}
