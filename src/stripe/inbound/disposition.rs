//! What happens to an event, and when is it tried again?

use super::inbox::{
    InboxState,
    claim::{ClaimedEvent, EventResult, HandlingContext},
};
use crate::{
    domain::{ids::AccountId, time::Timestamp},
    queue::{Backoff, NextAttempt, Retries},
    stripe::translate::SetAside,
};

/// How often an event is tried where nothing else is set: for about nine hours, before a person has to look.
pub const RETRIES: Retries =
    Retries { attempts_max: 20, backoff: Backoff { delay_s_min: 1, delay_s_max: 3_600 } };

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
    match retries.after(attempts, at) {
        NextAttempt::Never => EventResult { attempts, ..given_up },
        NextAttempt::At(next) => {
            EventResult { attempts, next_attempt_at: Some(next), state: InboxState::Waiting, ..given_up }
        }
    }
}
