//! What do the sequencer and its driver give each other?

use std::sync::Arc;

use crate::{
    domain::{
        recorded::{Position, RecordedEvent, Shard},
        time::Timestamp,
    },
    journal::{preconditions::Precondition, row::NewRows},
};

use super::batch::Answered;

/// How much is kept in memory, and how much is requested at once.
#[derive(Clone, Copy, Debug)]
pub(in crate::ledger) struct Limits {
    /// Commands in progress: decided and not stored, or waiting for their account. Others wait in the queue.
    pub commands: usize,
    /// Commands that are handed over at once.
    pub arriving: usize,
    /// Events in one batch. More wait for the next batch.
    pub batch_events: usize,
    /// How much memory accounts may take that are not used now.
    pub accounts_bytes: usize,
    /// Accounts in one load.
    pub load_accounts: usize,
    pub loads: usize,
    /// Answers that are remembered by their key.
    pub answers: usize,
}

/// A batch to store, all or nothing.
#[derive(Debug)]
pub(in crate::ledger) struct AppendRequest {
    pub shard: Shard,
    /// How many shardings the journal had when the batch was decided.
    pub shardings: i16,
    /// The position at which the journal must end.
    pub expected: Position,
    pub recorded_at: Timestamp,
    pub rows: NewRows,
    /// The preconditions of decisions without events, to check when the rows are stored.
    pub preconditions: Vec<Precondition>,
}

/// A stored batch.
#[derive(Debug)]
pub(in crate::ledger) struct Appended {
    /// The end of the journal, including the batch.
    pub position: Position,
    /// The indexes of preconditions that are not known to hold.
    pub outdated: Vec<usize>,
}

/// A batch that was not stored as it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum AppendFailure {
    /// Nothing of it is stored, or will be.
    NotStored,
    /// It may be stored, now or later, unless the journal's head moves first.
    Unknown,
}

/// Accounts that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum LoadFailure {
    Unavailable,
    /// One of them has a history that the rules cannot have written.
    Damaged,
}

/// Decisions that hold and were not answered yet.
#[derive(Debug)]
#[must_use = "whoever sent the commands waits for their answers"]
pub(in crate::ledger) struct Answers<R>(pub(super) Vec<Answered<R>>);

impl<R> Answers<R> {
    /// The events of each command that was stored, in the order of positions.
    pub(in crate::ledger) fn stored(&self) -> impl Iterator<Item = Arc<Vec<RecordedEvent>>> {
        let outcomes = self.0.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        outcomes.filter(|outcome| !outcome.replayed).map(|outcome| Arc::clone(&outcome.events))
    }
}
