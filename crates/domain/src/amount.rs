//! How are credits and money counted? As whole numbers that cannot overflow unnoticed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of credits: whole, never negative, at most [`Credits::MAX`].
///
/// There is deliberately no `+`: every sum is checked.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[schemars(with = "i64")]
#[serde(try_from = "i64", into = "i64")]
pub struct Credits(i64);

impl Credits {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);
    pub const MAX: Self = Self(i64::MAX);

    /// The number of credits, or `None` when it is negative.
    #[must_use]
    pub const fn new(value: i64) -> Option<Self> {
        if value < 0 { None } else { Some(Self(value)) }
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` when `other` is more than there is.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        if other.0 > self.0 { None } else { Some(Self(self.0 - other.0)) }
    }

    /// The difference, or zero when `other` is more than there is.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        if other.0 > self.0 { Self::ZERO } else { Self(self.0 - other.0) }
    }

    #[must_use]
    pub fn checked_mul(self, factor: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(factor)).map(Self)
    }

    /// `floor(self × ratio)`, where the ratio may be more than one. `None`: the product does not fit.
    #[must_use]
    pub fn checked_mul_floor(self, ratio: Ratio) -> Option<Self> {
        let product = i128::from(self.0).checked_mul(i128::from(ratio.numerator))?;
        i64::try_from(product / i128::from(ratio.denominator)).ok().map(Self)
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl TryFrom<i64> for Credits {
    type Error = NegativeAmount;

    fn try_from(value: i64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or(NegativeAmount)
    }
}

impl From<Credits> for i64 {
    fn from(credits: Credits) -> Self {
        credits.0
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount cannot be negative")]
pub struct NegativeAmount;

/// A share of a whole, kept as two integers until it is applied: `numerator ÷ denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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

    /// As a decimal number, cut off after eighteen digits.
    #[must_use]
    pub fn to_decimal(self) -> String {
        const DIGITS_MAX: usize = 18;
        let (denominator, mut digits) = (u128::from(self.denominator), String::new());
        let mut rest = u128::from(self.numerator).checked_rem(denominator).unwrap_or(0);
        while rest > 0 && digits.len() < DIGITS_MAX {
            rest = rest.saturating_mul(10);
            digits.push_str(&rest.checked_div(denominator).unwrap_or(0).to_string());
            rest = rest.checked_rem(denominator).unwrap_or(0);
        }
        let whole = self.numerator.checked_div(self.denominator).unwrap_or(0);
        if digits.is_empty() { whole.to_string() } else { format!("{whole}.{digits}") }
    }

    /// `ceil(self × whole)`. `None` if `whole` is negative, or the product does not fit.
    #[must_use]
    pub fn checked_mul_ceil(self, whole: i64) -> Option<i64> {
        let product = u128::from(u64::try_from(whole).ok()?).checked_mul(u128::from(self.numerator))?;
        i64::try_from(product.div_ceil(u128::from(self.denominator))).ok()
    }
}

/// An ISO 4217 currency, lower case as Stripe writes it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// # Errors
    /// When the code is not three letters.
    pub fn parse(code: &str) -> Result<Self, InvalidCurrency> {
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            Ok(Self(code.to_ascii_lowercase()))
        } else {
            Err(InvalidCurrency)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters, such as `usd`")]
pub struct InvalidCurrency;

/// An amount of money in the currency's minor unit (cents for `usd`, yen for `jpy`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Money {
    /// Negative for a credit note, or for an unused period that is given back.
    pub minor: i64,
    pub currency: Currency,
}
