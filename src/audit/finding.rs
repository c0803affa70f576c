//! What does an audit find?

use serde::Serialize;

use crate::{domain::recorded::Shard, projector::Compared};

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    pub problem: AuditProblem,
    /// In which of several shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The first bad position. `None`: the problem has no position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A description for people.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditProblem {
    /// A shard of the journal has no head.
    ShardMissing,
    /// What is kept of a growth is not what its new shards prove.
    ShardingChanged,
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
    /// The head does not match the end of the journal.
    HeadChanged,
    /// The head that was verified before is not in the chain.
    HeadNotFound,
    /// An account is in a shard where nobody looks for it.
    AccountElsewhere,
    /// An account's events do not follow each other.
    HistoryBroken,
    /// The parts of a grant do not sum to what was granted.
    NotConserved,
    /// A snapshot of an account does not match its events.
    SnapshotChanged,
    /// A read model does not match the events.
    ReadModelDiffers,
    /// A read model cannot be built from the events.
    ReadModelNotBuilt,
}

/// What was checked, and the first problems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The position after which events were checked; 0 for all of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub since: i64,
    pub events: u64,
    pub blocks: u64,
    pub accounts: u64,
    pub snapshots: u64,
    /// The hash of the whole journal, in hex. Store it elsewhere, to compare it with later ones.
    pub head: String,
    /// How many events the journal has had: the position of the last one, or the sum of those of several shards.
    pub position: i64,
    /// Where each of several shards ends. Empty: the journal has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<VerifiedShard>,
    /// The read models that were built again, with the results of the comparison.
    pub read_models: Vec<Compared>,
    /// The read models that cannot be compared, since their rows do not follow from events alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The first finding of each kind, ordered by position. Empty: all is right.
    pub findings: Vec<AuditFinding>,
}

/// The end of a shard: the hash of all that is in it up to a position, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedShard {
    pub shard: Shard,
    pub position: i64,
    pub head: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(position: &i64) -> bool {
    *position == 0
}

impl Verification {
    /// Adds what was found in a shard, or in a part of it.
    pub(super) fn add(&mut self, part: Self) {
        self.since = self.since.saturating_add(part.since);
        self.position = self.position.saturating_add(part.position);
        self.events = self.events.saturating_add(part.events);
        self.blocks = self.blocks.saturating_add(part.blocks);
        self.accounts = self.accounts.saturating_add(part.accounts);
        self.snapshots = self.snapshots.saturating_add(part.snapshots);
        for finding in part.findings {
            self.find(finding);
        }
    }

    /// Keeps only the earliest finding of each kind in a shard, since later ones may follow from it.
    pub(super) fn find(&mut self, found: AuditFinding) {
        let place = |finding: &AuditFinding| finding.position.unwrap_or(i64::MAX);
        let is_same =
            |known: &&mut AuditFinding| known.problem == found.problem && known.shard == found.shard;
        match self.findings.iter_mut().find(is_same) {
            None => self.findings.push(found),
            Some(known) if place(&found) < place(known) => *known = found,
            Some(_) => {}
        }
    }

    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("the work was interrupted")]
    Interrupted,
}
