//! How many credits does a plan give, and how many may roll over?

use crate::{amount::Credits, fraction::Fraction};

/// When and how many credits a plan gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    None,
    /// Once per account, ever.
    Once(Credits),
    /// Each month: of a paid period, or, on the free plan, counted from the day when the account was opened.
    Monthly(Credits),
}

impl Allocation {
    /// How many credits it gives each time; none if it gives nothing.
    #[must_use]
    pub const fn credits(self) -> Credits {
        match self {
            Self::Monthly(credits) | Self::Once(credits) => credits,
            Self::None => Credits::ZERO,
        }
    }

    /// Credits a month; none for a plan that gives once or never.
    #[must_use]
    pub const fn monthly(self) -> Credits {
        match self {
            Self::Monthly(credits) => credits,
            Self::None | Self::Once(_) => Credits::ZERO,
        }
    }
}

/// The most that may roll over into a period.
///
/// **Its names are part of the storage format:** they are stored with paid lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloverCap {
    /// At most this many credits roll over.
    Carry(Credits),
    /// Rollover and the new allocation together are at most this multiple of the allocation.
    MaxBalance(Ratio),
}

// As it is stored, which is not reduced; it is computed with as a `Fraction`.
/// A share of a whole, kept as two integers until it is applied: `numerator ÷ denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Ratio {
    numerator: u64,
    denominator: u64,
}

impl Ratio {
    /// `None` when the denominator is zero.
    #[must_use]
    pub const fn new(numerator: u64, denominator: u64) -> Option<Self> {
        if denominator == 0 { None } else { Some(Self { numerator, denominator }) }
    }

    /// `floor(self × whole)`; `None` when it does not fit.
    fn checked_of(self, whole: Credits) -> Option<Credits> {
        whole.checked_mul_floor(Fraction::new(self.numerator.into(), self.denominator.into())?)
    }
}

impl RolloverCap {
    /// How many credits may roll over into a period with this `allocation`.
    #[must_use]
    pub fn carry_max(self, allocation: Credits) -> Credits {
        match self {
            Self::Carry(credits) => credits,
            Self::MaxBalance(multiple) => {
                multiple.checked_of(allocation).unwrap_or(Credits::MAX).saturating_sub(allocation)
            }
        }
    }
}
