//! Which days, and which moments, are asked for?

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    domain::time::{Timestamp, start_of_day},
    http::failure::Failure,
};

/// The most days that one question may span.
pub const DAYS_MAX: i64 = 3_660;

/// Days from the first to the last, both included, as a half-open span.
///
/// # Errors
/// When the last comes before the first, or there are too many.
pub fn days(from: NaiveDate, to: NaiveDate) -> Result<(NaiveDate, NaiveDate), Failure> {
    let until = to.checked_add_days(Days::new(1)).filter(|until| *until > from);
    let until = until.ok_or_else(|| Failure::query("to", "it comes before `from`"))?;
    if until.signed_duration_since(from).num_days() > DAYS_MAX {
        return Err(Failure::query("to", format!("a question spans at most {DAYS_MAX} days")));
    }
    Ok((from, until))
}

/// A day in a query.
///
/// # Errors
/// When it is written otherwise.
pub fn day<'de, D: Deserializer<'de>>(text: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(text)?;
    text.parse().map_err(|_| D::Error::custom("a day is expected, such as 2026-03-31"))
}

/// A moment in a query: an instant, or a day of a time zone, which stands for its beginning or, as an end, for all of
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Moment {
    Instant(Timestamp),
    Day(NaiveDate),
}

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let instant = Timestamp::parse(&text).map(Self::Instant);
        instant.or_else(|_| text.parse().map(Self::Day)).map_err(|_| "an RFC 3339 instant or day is expected")
    }
}

impl Moment {
    #[must_use]
    pub fn begin(self, zone: Tz) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => start_of_day(day, zone),
        }
    }

    /// The first instant that does not belong to it.
    #[must_use]
    pub fn end(self, zone: Tz) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day), zone),
        }
    }
}
