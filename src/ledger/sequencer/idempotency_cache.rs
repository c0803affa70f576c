//! What did the latest commands answer? Most repeated requests are answered from memory.
//!
//! This is only a shortcut: the unique indexes of the journal guarantee that a command takes effect once.

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;

use crate::domain::recorded::RecordedEvent;

use crate::ledger::request::{AccountUnique, ExecuteError, ExecuteResult, Outcome, Request};

#[derive(Debug)]
pub(super) struct IdempotencyCache {
    /// How many answers are kept, the newest ones.
    most: usize,
    answers: FxHashMap<AccountUnique, Arc<Vec<RecordedEvent>>>,
    order: VecDeque<AccountUnique>,
}

impl IdempotencyCache {
    pub(super) fn new(most: usize) -> Self {
        Self { most, answers: FxHashMap::default(), order: VecDeque::new() }
    }

    pub(super) fn find<R>(&self, request: &Request<R>) -> Option<ExecuteResult> {
        let mut found = request.uniques().filter_map(|unique| self.answers.get(&unique));
        found.next().map(|events| replay(request, Arc::clone(events)))
    }

    /// Remembers the events of a stored command.
    pub(super) fn insert<R>(&mut self, request: &Request<R>, events: &Arc<Vec<RecordedEvent>>) {
        request.uniques().for_each(|unique| self.insert_one(unique, events));
    }

    /// Remembers the events of a command that the journal has under this key or generation.
    pub(super) fn insert_one(&mut self, unique: AccountUnique, events: &Arc<Vec<RecordedEvent>>) {
        self.answers.insert(unique.clone(), Arc::clone(events));
        self.order.push_back(unique);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}

/// The answer to a request whose key or generation is already in the journal.
pub(super) fn replay<R>(request: &Request<R>, events: Arc<Vec<RecordedEvent>>) -> ExecuteResult {
    let same = events.first().is_some_and(|first| first.metadata.request_hash == request.hash);
    let last = events.last().map(RecordedEvent::at);
    match last.filter(|_| same) {
        Some(last) => Ok(Outcome { events, replayed: true, position: last }),
        None => Err(ExecuteError::KeyReused),
    }
}
