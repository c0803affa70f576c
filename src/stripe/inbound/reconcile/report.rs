//! What is the result of a comparison with Stripe?

use std::collections::BTreeMap;

use serde::Serialize;

use super::Subject;
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        time::Timestamp,
    },
    stripe::inbound::inbox::InboxState,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReconcileReport {
    /// Objects that were made before were not compared, except subscriptions and disputes.
    pub since: Timestamp,
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
    /// How many objects of each kind were listed, and how many were `asked` for by their ids.
    pub read: BTreeMap<&'static str, u64>,
    /// Events that Stripe lists and that never arrived.
    pub missing_events: Vec<MissingEvent>,
    pub drifts: Vec<Drift>,
    /// Objects that could not be compared.
    pub not_compared: Vec<NotCompared>,
}

/// Something at Stripe or in the ledger that could not be compared, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    pub because: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingEvent {
    pub event: ProviderId,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ProviderId>,
    pub created_at: Timestamp,
    /// Whether it is in the inbox now.
    pub repaired: bool,
}

/// Something that the ledger does not have, or has differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    pub subject: Subject,
    pub object: ProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    pub stripe_says: String,
    pub ledger_says: String,
    /// The type of the event that reports it.
    pub event_type: &'static str,
    pub cause: UntoldCause,
    pub repaired: bool,
}

/// Why the ledger does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UntoldCause {
    /// Stripe lists the event, and it never arrived.
    EventMissing { event: ProviderId },
    /// The event arrived, and was not processed.
    EventUnprocessed { event: String, state: InboxState, reason: Option<String> },
    /// All events about it that Stripe lists have arrived: its own event is too old, or was never made.
    NoEvent,
    /// The ledger has something else, and no event corrects that.
    Kept { because: StoredFigures },
}

/// What the ledger keeps as it was first reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredFigures {
    /// How much was paid, charged or given back.
    Amount,
    /// That something ended, failed, or was voided.
    End,
    /// What a payment was for.
    Purpose,
    /// When something was paid, or ended.
    Time,
    /// That the object exists.
    Existence,
}

impl ReconcileReport {
    /// How many differences and missing events remain.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let missing = self.missing_events.iter().filter(|event| !event.repaired).count();
        missing.saturating_add(self.drifts.iter().filter(|drift| !drift.repaired).count())
    }

    #[must_use]
    pub const fn found_nothing(&self) -> bool {
        self.missing_events.is_empty() && self.drifts.is_empty()
    }

    /// Whether everything that was read is equal: nothing differs, and nothing was left out.
    #[must_use]
    pub const fn is_the_same(&self) -> bool {
        self.found_nothing() && self.not_compared.is_empty()
    }
}

impl UntoldCause {
    /// A sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::EventMissing { event } => format!("{event} never came"),
            Self::EventUnprocessed { event, state, reason: None } => format!("{event} is {}", state.as_str()),
            Self::EventUnprocessed { event, state, reason: Some(reason) } => {
                format!("{event} is {}: {reason}", state.as_str())
            }
            Self::NoEvent => "no event tells of it".to_owned(),
            Self::Kept { because } => format!("no event corrects it: {}", because.sentence()),
        }
    }
}

impl StoredFigures {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Amount => "an amount is kept as it was told first",
            Self::End => "an end is kept, whatever is told after it",
            Self::Purpose => "what a payment was for is kept as it was told first",
            Self::Time => "when it was is kept as it was told first",
            Self::Existence => "what was told of is kept, whether Stripe has it or not",
        }
    }
}
