//! What did the latest commands answer? So that most repeated requests are answered from memory.
//!
//! Only a shortcut: the unique indexes of the journal are what makes a command happen once.

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;

use crate::domain::recorded::{Position, RecordedEvent};

use super::request::{AccountUnique, ExecuteError, ExecuteResult, Job, Outcome};

/// How many answers are kept, the newest ones.
const ANSWERS_MAX: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: FxHashMap<AccountUnique, Arc<Vec<RecordedEvent>>>,
    order: VecDeque<AccountUnique>,
}

impl Recent {
    pub(super) fn find(&self, job: &Job) -> Option<ExecuteResult> {
        let mut found = job.request.uniques().filter_map(|unique| self.answers.get(&unique));
        found.next().map(|events| replay(job, Arc::clone(events)))
    }

    pub(super) fn insert(&mut self, job: &Job, events: &Arc<Vec<RecordedEvent>>) {
        for unique in job.request.uniques() {
            self.answers.insert(unique.clone(), Arc::clone(events));
            self.order.push_back(unique);
            if self.order.len() > ANSWERS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.answers.remove(&oldest);
            }
        }
    }
}

/// The answer to a request whose key or generation is in the journal already.
pub(super) fn replay(job: &Job, events: Arc<Vec<RecordedEvent>>) -> ExecuteResult {
    let same = events.first().is_some_and(|first| first.metadata.request_hash == job.hash);
    if same { Ok(Outcome::of(events, true, Position::default())) } else { Err(ExecuteError::KeyReused) }
}
