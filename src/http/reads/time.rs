//! Which days and times does a query ask for?

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    domain::time::{Timestamp, start_of_day},
    http::failure::Failure,
    queries::FIGURE_DAYS_MAX,
};

/// The days from `from` to `to`, both included, as a half-open span.
///
/// # Errors
/// If `to` is before `from`, or there are too many days.
pub fn days(from: NaiveDate, to: NaiveDate) -> Result<(NaiveDate, NaiveDate), Failure> {
    let until = to.checked_add_days(Days::new(1)).filter(|until| *until > from);
    let until = until.ok_or_else(|| Failure::query("to", "it is before `from`"))?;
    if until.signed_duration_since(from).num_days() > FIGURE_DAYS_MAX {
        return Err(Failure::query("to", format!("at most {FIGURE_DAYS_MAX} days can be asked for")));
    }
    Ok((from, until))
}

/// A day in a query.
///
/// # Errors
/// If it has another form.
pub fn day<'de, D: Deserializer<'de>>(text: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(text)?;
    text.parse().map_err(|_| D::Error::custom("a day is expected, such as 2026-03-31"))
}

/// A day in a query that may be left out.
///
/// # Errors
/// If it has another form.
pub fn optional_day<'de, D: Deserializer<'de>>(text: D) -> Result<Option<NaiveDate>, D::Error> {
    day(text).map(Some)
}

/// A time in a query: an instant, or a day in a time zone, which means its beginning or, as an end, all of it.
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
        instant.or_else(|_| text.parse().map(Self::Day)).map_err(|_| {
            "a time as in RFC 3339 is expected, such as 2026-03-31T12:00:00Z, or a day, such as 2026-03-31"
        })
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

    /// Whether it is over before `from` begins.
    #[must_use]
    pub fn is_before(self, from: Self, zone: Tz) -> bool {
        match self {
            Self::Instant(at) => at < from.begin(zone),
            Self::Day(_) => self.end(zone) <= from.begin(zone),
        }
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(self, zone: Tz) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day), zone),
        }
    }
}
