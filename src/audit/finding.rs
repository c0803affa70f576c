//! What does an audit find?

use serde::Serialize;

use crate::{journal::load::LoadError, projector::Compared};

/// What is wrong, where, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    pub problem: AuditProblem,
    /// The first bad position; `None` when the problem is not in the order of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// In words.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditProblem {
    /// A position has no event.
    EventMissing,
    /// The stored bytes of an event do not have the stored hash.
    EventChanged,
    /// An event is in no block.
    EventOutsideBlocks,
    /// The events of a block do not have the block's root.
    BlockChanged,
    /// A block does not continue the one before.
    ChainBroken,
    /// The head does not say where the journal ends.
    HeadChanged,
    /// An account's events do not follow each other.
    HistoryBroken,
    /// A grant's terms do not add up.
    NotConserved,
    /// What is kept of an account is not what its events say.
    SnapshotChanged,
    /// A read model differs from what the events say.
    ReadModelDiffers,
}

/// What was looked at, and the first things that are wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub events: u64,
    pub blocks: u64,
    pub accounts: u64,
    pub snapshots: u64,
    /// The hash that the whole journal up to `position` comes down to, hex. Keep it elsewhere to compare later.
    pub head: String,
    pub position: i64,
    /// The read models that were built again, and how they compare.
    pub read_models: Vec<Compared>,
    /// The read models that cannot be compared: their rows do not follow from the events alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The first one of each kind of check, the earliest position first. Empty: all is right.
    pub findings: Vec<AuditFinding>,
}

impl Verification {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("an account cannot be read")]
    Load(#[from] LoadError),
}
