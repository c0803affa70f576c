//! What goes into the journal together?

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{Position, RecordedEvent},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::{load::LoadedAccount, preconditions::Precondition, row::NewRow, unique::Unique},
};

use super::{
    decider::StagedDecision,
    request::{AccountUnique, ExecuteError, Job, Outcome},
};

/// Decided commands that are not stored yet.
#[derive(Debug)]
pub(super) struct PendingBatch {
    pub(super) recorded_at: Timestamp,
    pub(super) rows: Vec<NewRow>,
    pub(super) decided: Vec<Decided>,
    /// What each account was before this batch, to go back to if it cannot be stored.
    pub(super) before: FxHashMap<AccountId, LoadedAccount>,
    /// The keys and generations that are on their way: a second request with one of them waits for the first.
    pub(super) uniques: FxHashSet<AccountUnique>,
}

#[derive(Debug)]
pub(super) struct Decided {
    pub(super) job: Job,
    pub(super) verdict: Result<Vec<RecordedEvent>, Refusal>,
}

impl PendingBatch {
    pub(super) fn new(recorded_at: Timestamp) -> Self {
        Self {
            recorded_at,
            rows: Vec::new(),
            decided: Vec::new(),
            before: FxHashMap::default(),
            uniques: FxHashSet::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    pub(super) fn push(&mut self, job: Job, decision: StagedDecision) {
        if !decision.events.is_empty() {
            self.uniques.extend(job.request.uniques());
        }
        self.rows.extend(decision.rows);
        self.decided.push(Decided { job, verdict: Ok(decision.events) });
    }

    /// A refusal waits for what it was decided on: it is true only if that was stored.
    pub(super) fn push_refusal(&mut self, job: Job, refusal: Refusal) {
        self.decided.push(Decided { job, verdict: Err(refusal) });
    }

    /// What the decisions without events rest on, and the index of each. Those with events need no claim: they
    /// are stored only where they are right.
    pub(super) fn claims(
        &self,
        accounts: &FxHashMap<AccountId, LoadedAccount>,
    ) -> (Vec<usize>, Vec<Precondition>) {
        let (mut indexes, mut claims) = (Vec::new(), Vec::new());
        for (index, decided) in self.decided.iter().enumerate() {
            let request = &decided.job.request;
            let uniques: Vec<Unique> = match &decided.verdict {
                Ok(events) if !events.is_empty() => continue,
                // What has no effect can be repeated.
                Ok(_) => Vec::new(),
                Err(_) => request.uniques().map(|(_, unique)| unique).collect(),
            };
            // If the batch has events of the account, they are stored only where it is what it was taken for.
            let account = &request.account;
            let is_confirmed = self.before.contains_key(account);
            let sequence = accounts.get(account).filter(|_| !is_confirmed).map(LoadedAccount::sequence);
            let claim = |sequence, free| Precondition { account: account.clone(), sequence, free };
            claims.push(claim(sequence, uniques.first().cloned()));
            claims.extend(uniques.into_iter().skip(1).map(|unique| claim(None, Some(unique))));
            indexes.resize(claims.len(), index);
        }
        (indexes, claims)
    }

    pub(super) fn has_any_of(&self, job: &Job) -> bool {
        has_any_of(&self.uniques, job)
    }

    /// The jobs of those with these indexes, and the others.
    pub(super) fn split(self, indexes: &FxHashSet<usize>) -> (Vec<Job>, Vec<Decided>) {
        let (mut jobs, mut others) = (Vec::new(), Vec::with_capacity(self.decided.len()));
        for (index, decided) in self.decided.into_iter().enumerate() {
            if indexes.contains(&index) { jobs.push(decided.job) } else { others.push(decided) }
        }
        (jobs, others)
    }

    pub(super) fn into_jobs(self) -> Vec<Job> {
        self.decided.into_iter().map(|decided| decided.job).collect()
    }
}

impl Decided {
    /// Answers, now that the decision is stored. `head` is where the journal is then.
    pub(super) fn answer(self, head: Position, stored: impl FnOnce(&Job, &Arc<Vec<RecordedEvent>>)) {
        let Self { job, verdict } = self;
        match verdict {
            Err(refusal) => job.answer(Err(ExecuteError::Refused(refusal))),
            Ok(events) => {
                let events = Arc::new(events);
                if !events.is_empty() {
                    stored(&job, &events);
                }
                job.answer(Ok(Outcome::of(events, false, head)));
            }
        }
    }
}

pub(super) fn has_any_of(uniques: &FxHashSet<AccountUnique>, job: &Job) -> bool {
    !uniques.is_empty() && job.request.uniques().any(|unique| uniques.contains(&unique))
}
