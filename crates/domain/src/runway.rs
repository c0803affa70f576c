//! How long do an account's credits last, if they are used as in the last seven days?

use chrono::TimeDelta;

use super::{amount::Credits, credits::Wallet, time::Timestamp};

/// The days over which use is averaged.
pub const RUNWAY_DAYS: i64 = 7;
/// How far ahead credits are counted that will end.
pub const ENDING_DAYS: i64 = 30;
const MICROS_A_DAY: i128 = 86_400_000_000;

/// How long credits last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runway {
    /// When nothing is left to spend. `None`: something always is, or longer than time is counted.
    pub empty_at: Option<Timestamp>,
    /// How many credits end within 30 days.
    pub ending: Credits,
    /// How many of these will not have been used by then.
    pub ending_unused: Credits,
}

/// How long the credits last that can be spent at `at`, if `used` credits are used in seven days, evenly.
///
/// They are spent in the spending order, and what ends before its turn is lost.
/// Credits that are held, frozen, or not there yet do not count.
#[must_use]
pub fn runway(wallet: &Wallet, used: Credits, at: Timestamp) -> Runway {
    let (used, window) = (i128::from(used.get()), i128::from(RUNWAY_DAYS).saturating_mul(MICROS_A_DAY));
    let soon = at.plus(TimeDelta::days(ENDING_DAYS));
    let (mut now, mut lasts_for_ever) = (i128::from(at.micros()), false);
    let mut runway = Runway { empty_at: None, ending: Credits::ZERO, ending_unused: Credits::ZERO };
    for grant in wallet.open().iter().filter(|grant| grant.is_live(at)) {
        let left = i128::from(grant.remaining.get());
        // `None`: it is never used up.
        let spent_by = left.saturating_mul(window).checked_div(used).map(|lasts| now.saturating_add(lasts));
        let end = grant.ends_at().map(|end| i128::from(end.micros()));
        let ends_first = end.filter(|end| spent_by.is_none_or(|spent_by| *end < spent_by));
        let unused = ends_first.map_or(0, |end| {
            let time = end.saturating_sub(now).max(0);
            left.saturating_sub(time.saturating_mul(used).checked_div(window).unwrap_or(0)).max(0)
        });
        if grant.ends_at().is_some_and(|end| end <= soon) {
            runway.ending = add(runway.ending, grant.remaining);
            runway.ending_unused = add(runway.ending_unused, credits(unused));
        }
        match (ends_first, spent_by) {
            (Some(end), _) => now = now.max(end),
            (None, Some(spent_by)) => now = spent_by,
            (None, None) => lasts_for_ever = true,
        }
    }
    let empty_at = i64::try_from(now).ok().and_then(Timestamp::from_micros);
    Runway { empty_at: empty_at.filter(|_| !lasts_for_ever), ..runway }
}

fn credits(amount: i128) -> Credits {
    i64::try_from(amount).ok().and_then(Credits::new).unwrap_or(Credits::ZERO)
}

fn add(one: Credits, other: Credits) -> Credits {
    one.checked_add(other).unwrap_or(Credits::MAX)
}
