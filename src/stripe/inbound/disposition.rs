//! What happens to an event, and when is it tried again?

use chrono::TimeDelta;

use super::inbox::{
    InboxState,
    claim::{ClaimedEvent, EventResult, HandlingContext},
};
use crate::{
    domain::{ids::AccountId, time::Timestamp},
    stripe::translate::SetAside,
};

/// How often an event is tried before it is dead: with the delays below, for about nine hours.
pub const ATTEMPTS_MAX: i32 = 20;
/// The delay after the first attempt, in seconds. It doubles with each further one.
pub const RETRY_DELAY_S_MIN: i64 = 1;
/// The longest delay between two attempts, in seconds.
pub const RETRY_DELAY_S_MAX: i64 = 3_600;

/// How often an event is tried, and how long the delays are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    pub attempts_max: i32,
    pub delay_s_min: i64,
    pub delay_s_max: i64,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts_max: ATTEMPTS_MAX, delay_s_min: RETRY_DELAY_S_MIN, delay_s_max: RETRY_DELAY_S_MAX }
    }
}

/// What happens to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Processed, with a note if there is one.
    Done(AccountId, Option<String>),
    Aside(InboxState, String),
    /// Tried again, until the attempts are used up.
    Later(String),
    /// The same, but then it is ignored, since it was about something that was not sold here.
    LaterIfAtAll(String),
    Dead(String),
}

impl Disposition {
    pub(super) fn of(aside: &SetAside) -> Self {
        let because = aside.because().to_owned();
        match aside {
            SetAside::Ignored(_) => Self::Aside(InboxState::Ignored, because),
            SetAside::Incomplete(_) => Self::Later(because),
            SetAside::Quarantined(_) => Self::Aside(InboxState::Quarantined, because),
            SetAside::NeedsReview(_) | SetAside::NeedsReviewIfOurs { .. } => Self::Dead(because),
        }
    }

    pub(super) fn settle(
        self,
        due: &ClaimedEvent,
        lane: HandlingContext,
        retries: Retries,
        at: Timestamp,
    ) -> EventResult {
        let settled = |state, reason, account| EventResult {
            event_id: due.event_id.clone(),
            state,
            reason,
            attempts: due.attempts,
            next_attempt_at: None,
            account,
            lane,
        };
        match self {
            Self::Done(account, note) => settled(InboxState::Processed, note, Some(account)),
            Self::Aside(state, because) => settled(state, Some(because), None),
            Self::Dead(because) => settled(InboxState::Dead, Some(because), None),
            Self::Later(because) => wait(settled(InboxState::Dead, Some(because), None), retries, at),
            Self::LaterIfAtAll(because) => {
                wait(settled(InboxState::Ignored, Some(because), None), retries, at)
            }
        }
    }
}

/// Schedules one more attempt. If there were enough, the result is `given_up`.
fn wait(given_up: EventResult, retries: Retries, at: Timestamp) -> EventResult {
    let attempts = given_up.attempts.saturating_add(1);
    if attempts >= retries.attempts_max {
        return EventResult { attempts, ..given_up };
    }
    let next_attempt_at = Some(at.plus(delay(retries, attempts)));
    EventResult { attempts, next_attempt_at, state: InboxState::Waiting, ..given_up }
}

/// How long to wait after this many attempts.
fn delay(retries: Retries, attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let factor = 2_i64.checked_pow(doublings).unwrap_or(retries.delay_s_max);
    TimeDelta::seconds(retries.delay_s_min.saturating_mul(factor).min(retries.delay_s_max))
}
