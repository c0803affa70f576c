//! How are fractions computed exactly? Prices with decimals, percentages, and months in a year, rounded once at the
//! end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `numerator ÷ denominator`, reduced. The denominator is positive. Written as `5/2`, or `3` if it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct Fraction {
    numerator: i128,
    denominator: i128,
}

/// The text is not a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fraction is a whole number, or two with `/` between them")]
pub struct NoFraction;

/// The most decimals that are read. Stripe writes at most twelve.
const DECIMALS_MAX: usize = 18;

impl Fraction {
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    #[must_use]
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = greatest_common_divisor(numerator.checked_abs()?, denominator.checked_abs()?);
        let divisor = if denominator < 0 { divisor.checked_neg()? } else { divisor };
        Some(Self {
            numerator: numerator.checked_div(divisor)?,
            denominator: denominator.checked_div(divisor).filter(|denominator| *denominator > 0)?,
        })
    }

    #[must_use]
    pub fn whole(number: i64) -> Self {
        Self { numerator: i128::from(number), denominator: 1 }
    }

    /// Reads a decimal number such as `999` or `-12.5`, without an exponent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > DECIMALS_MAX || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        Self::new(format!("{whole}{decimals}").parse().ok()?, scale)
    }

    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::new(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { numerator: other.numerator.checked_neg()?, ..other })
    }

    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Self::new(numerator, self.denominator.checked_mul(other.denominator)?)
    }

    #[must_use]
    pub fn at_least_zero(self) -> Self {
        if self.is_negative() { Self::ZERO } else { self }
    }

    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.numerator < 0
    }

    /// The nearest whole number; halfway between two, the even one. `None`: it does not fit.
    #[must_use]
    pub fn round_half_even(self) -> Option<i64> {
        let below = self.numerator.div_euclid(self.denominator);
        let twice = self.numerator.rem_euclid(self.denominator).checked_mul(2)?;
        let up = match twice.cmp(&self.denominator) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => below.rem_euclid(2) == 1,
        };
        i64::try_from(below.checked_add(i128::from(up))?).ok()
    }

    /// The largest whole number that is not above it. `None`: it does not fit.
    #[must_use]
    pub fn floor(self) -> Option<i64> {
        i64::try_from(self.numerator.div_euclid(self.denominator)).ok()
    }

    /// The whole number at or above.
    #[must_use]
    pub fn ceil(self) -> Option<i64> {
        let below = self.floor()?;
        let is_whole = self.denominator == 1;
        if is_whole { Some(below) } else { below.checked_add(1) }
    }

    /// As a decimal, cut off behind eighteen digits. One that is less than zero is shown as zero.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let Self { numerator, denominator } = self.at_least_zero();
        let mut rest = numerator.rem_euclid(denominator);
        let mut digits = String::new();
        while rest > 0 && digits.len() < DECIMALS_MAX {
            rest = rest.saturating_mul(10);
            digits.push_str(&rest.div_euclid(denominator).to_string());
            rest = rest.rem_euclid(denominator);
        }
        let whole = numerator.div_euclid(denominator);
        if digits.is_empty() { whole.to_string() } else { format!("{whole}.{digits}") }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => self.numerator.fmt(formatter),
            denominator => write!(formatter, "{}/{denominator}", self.numerator),
        }
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> Self {
        fraction.to_string()
    }
}

impl TryFrom<String> for Fraction {
    type Error = NoFraction;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((&text, "1"));
        let parsed = numerator.parse().ok().zip(denominator.parse().ok());
        parsed.and_then(|(numerator, denominator)| Self::new(numerator, denominator)).ok_or(NoFraction)
    }
}

fn greatest_common_divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one.max(1)
}

#[cfg(test)]
mod tests {
    use super::{Fraction, NoFraction};

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = |twice| Fraction::new(twice, 2).and_then(Fraction::round_half_even);
        assert_eq!(
            [half(1), half(3), half(5), half(-1), half(-3)],
            [Some(0), Some(2), Some(2), Some(0), Some(-2)]
        );
    }

    #[test]
    fn decimals_are_exact() {
        let tenth = Fraction::parse("0.1").expect("a decimal");
        let sum = (0..10).try_fold(Fraction::ZERO, |sum, _| sum.checked_add(tenth));
        assert_eq!(sum, Some(Fraction::whole(1)));
    }

    #[test]
    fn what_is_between_two_whole_numbers_is_rounded_as_is_asked_for() {
        for (numerator, denominator, floor, ceil) in
            [(5, 2, 2, 3), (4, 2, 2, 2), (-5, 2, -3, -2), (0, 7, 0, 0)]
        {
            let fraction = Fraction::new(numerator, denominator).expect("a fraction");
            assert_eq!((fraction.floor(), fraction.ceil()), (Some(floor), Some(ceil)), "{fraction}");
        }
    }

    #[test]
    fn a_decimal_ends_where_it_is_exact_or_behind_eighteen_digits() {
        for (numerator, denominator, decimal) in
            [(5, 4, "1.25"), (6, 2, "3"), (1, 1_000, "0.001"), (2, 3, "0.666666666666666666"), (-1, 2, "0")]
        {
            let fraction = Fraction::new(numerator, denominator).expect("a fraction");
            assert_eq!(fraction.to_decimal(), decimal);
        }
    }

    #[test]
    fn what_is_written_is_read_as_what_it_was() {
        for fraction in [Fraction::new(-5, 2), Fraction::new(1_999, 12), Fraction::new(6, 2)] {
            let fraction = fraction.expect("a fraction");
            assert_eq!(Fraction::try_from(fraction.to_string()), Ok(fraction));
        }
        for text in ["", "1/0", "1/2/3", "0.5"] {
            assert_eq!(Fraction::try_from(text.to_owned()), Err(NoFraction), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", ".", "1e3", "1.2.3", "1.-2", "0.1234567890123456789", "ten"] {
            assert_eq!(Fraction::parse(text), None, "{text}");
        }
    }
}
