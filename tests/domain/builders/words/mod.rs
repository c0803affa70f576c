//! The words that scenarios are told in: events, commands and terms with all that does not matter filled in.

mod credits;
mod moving;
mod payments;
mod subscriptions;

pub use credits::*;
pub use moving::*;
pub use payments::*;
pub use subscriptions::*;

use chrono::TimeDelta;
use domain::{
    ids::{GrantId, HoldId, ProviderId},
    time::{Period, Timestamp},
};

/// Midnight, this many days after 1 June 2025.
pub fn day(number: i64) -> Timestamp {
    time("2025-06-01T00:00:00Z").plus(TimeDelta::days(number))
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a test's time is written as RFC 3339")
}

pub fn hours(number: i64) -> TimeDelta {
    TimeDelta::hours(number)
}

pub fn provider(id: &str) -> ProviderId {
    ProviderId::parse(id).expect("a test's object is an identifier")
}

pub fn grant_id(id: &str) -> GrantId {
    GrantId::parse(id).expect("a test's grant is an identifier")
}

pub fn hold_id(id: &str) -> HoldId {
    HoldId::parse(id).expect("a test's hold is an identifier")
}

// Events.

// Commands of callers.

// Reports of the payment provider.

/// The month with this number from 1 June 2025, at 10:00.
pub fn month(number: u32) -> Period {
    let first = time("2025-06-01T10:00:00Z");
    Period { start: first.plus_months(number), end: first.plus_months(number + 1) }
}

pub fn year() -> Period {
    Period { start: month(0).start, end: month(11).end }
}
