//! How is time counted? Instants to the microsecond, and the calendar that limits and periods follow.
//!
//! Nothing here reads a clock: every time comes with a command or an event.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time in UTC, to the microsecond, as Postgres stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant of the year 0, and the last of the year 9999, which are the bounds of RFC 3339.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// `None`: outside of the years that RFC 3339 can write.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }

    /// From Unix seconds, as Stripe writes time.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(1_000_000).and_then(Self::from_micros)
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    #[must_use]
    pub fn whole_second(self) -> Self {
        Self::from_seconds(self.seconds()).unwrap_or(self)
    }

    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// # Errors
    /// If the text is not a time as in RFC 3339.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        Self::from_micros(instant.timestamp_micros()).ok_or(InvalidTimestamp)
    }

    /// The time `duration` later, at most the last possible one.
    #[must_use]
    pub fn plus(self, duration: TimeDelta) -> Self {
        self.to_utc().checked_add_signed(duration).map_or(Self::MAX, Self::from)
    }

    #[must_use]
    pub fn minus(self, duration: TimeDelta) -> Self {
        self.to_utc().checked_sub_signed(duration).map_or(Self::MIN, Self::from)
    }

    /// The same day and time `months` later, or the month's last day where that month is shorter.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        self.to_utc().checked_add_months(Months::new(months)).map_or(Self::MAX, Self::from)
    }

    #[must_use]
    pub fn minus_months(self, months: u32) -> Self {
        self.to_utc().checked_sub_months(Months::new(months)).map_or(Self::MIN, Self::from)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// The nearest time that RFC 3339 can write.
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros().clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an RFC 3339 instant")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as in RFC 3339, such as 2025-06-01T00:00:00Z")]
pub struct InvalidTimestamp;

/// A half-open span of time: `start` belongs to it, `end` does not.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Period {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Period {
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whole seconds from start to end; zero if the end is before the start.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.end.seconds().saturating_sub(self.start.seconds())).unwrap_or(0)
    }
}

/// A unit of the calendar that a limit counts by.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CalendarUnit {
    Day,
    /// From Monday, as in ISO 8601.
    Week,
    Month,
}

impl CalendarUnit {
    /// The calendar unit in `zone` that contains `at`.
    ///
    /// A day that is shorter or longer because clocks change is still one day.
    #[must_use]
    pub fn around(self, at: Timestamp, zone: Tz) -> Period {
        let today = at.to_utc().with_timezone(&zone).date_naive();
        let (first, next) = match self {
            Self::Day => (Some(today), today.succ_opt()),
            Self::Week => {
                let monday = today - TimeDelta::days(i64::from(today.weekday().num_days_from_monday()));
                (Some(monday), monday.checked_add_signed(TimeDelta::days(7)))
            }
            Self::Month => {
                let first = today.with_day(1);
                (first, first.and_then(|day| day.checked_add_months(Months::new(1))))
            }
        };
        Period {
            start: first.map_or(at, |day| start_of_day(day, zone)),
            end: next.map_or(at, |day| start_of_day(day, zone)),
        }
    }

    /// How long a rolling window of this unit is.
    #[must_use]
    pub const fn rolling(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::days(7),
            Self::Month => TimeDelta::days(30),
        }
    }
}

/// Midnight, or the first instant after it where the clocks skip midnight.
#[must_use]
pub fn start_of_day(day: chrono::NaiveDate, zone: Tz) -> Timestamp {
    let midnight = day.and_time(NaiveTime::MIN);
    let instant = zone
        .from_local_datetime(&midnight)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
    instant.map_or_else(|| Timestamp::from(midnight.and_utc()), |instant| Timestamp::from(instant.to_utc()))
}
