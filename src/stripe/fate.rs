//! What becomes of an event, and when is it tried again?

use chrono::TimeDelta;

use super::{
    inbox::{
        State,
        claim::{Due, Settled},
    },
    translate::SetAside,
};
use crate::domain::{names::AccountId, time::Timestamp};

/// How often an event is tried before a person has to look: with the delays below, for about nine hours.
pub const ATTEMPTS_MAX: i32 = 20;
/// The delay after the first attempt. It doubles with each further one.
pub const RETRY_DELAY_S_MIN: i64 = 1;
/// The longest delay between two attempts.
pub const RETRY_DELAY_S_MAX: i64 = 3_600;

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// With what is to be said of it all the same.
    Done(AccountId, Option<String>),
    Aside(State, String),
    /// To be tried again, until it was tried too often.
    Later(String),
    /// The same, but when it was tried too often, nothing is lost: it was about something that is not sold here.
    LaterIfAtAll(String),
    Dead(String),
}

impl Fate {
    pub(super) fn of(aside: &SetAside) -> Self {
        let because = aside.because().to_owned();
        match aside {
            SetAside::Ignored(_) => Self::Aside(State::Ignored, because),
            SetAside::Incomplete(_) => Self::Later(because),
            SetAside::Quarantined(_) => Self::Aside(State::Quarantined, because),
            SetAside::Held(_) | SetAside::HeldIfOurs { .. } => Self::Dead(because),
        }
    }

    pub(super) fn settle(self, due: &Due, at: Timestamp) -> Settled {
        let settled = |state, reason, account| Settled {
            event_id: due.event_id.clone(),
            state,
            reason,
            attempts: due.attempts,
            next_attempt_at: None,
            account,
        };
        match self {
            Self::Done(account, note) => settled(State::Processed, note, Some(account)),
            Self::Aside(state, because) => settled(state, Some(because), None),
            Self::Dead(because) => settled(State::Dead, Some(because), None),
            Self::Later(because) => wait(settled(State::Dead, Some(because), None), at),
            Self::LaterIfAtAll(because) => wait(settled(State::Ignored, Some(because), None), at),
        }
    }
}

/// One more attempt, unless there were enough: then this is what became of the event.
fn wait(given_up: Settled, at: Timestamp) -> Settled {
    let attempts = given_up.attempts.saturating_add(1);
    if attempts >= ATTEMPTS_MAX {
        return Settled { attempts, ..given_up };
    }
    let next_attempt_at = Some(at.plus(delay(attempts)));
    Settled { attempts, next_attempt_at, state: State::Waiting, ..given_up }
}

/// How long to wait after so many attempts.
fn delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let factor = 2_i64.checked_pow(doublings).unwrap_or(RETRY_DELAY_S_MAX);
    TimeDelta::seconds(RETRY_DELAY_S_MIN.saturating_mul(factor).min(RETRY_DELAY_S_MAX))
}
