//! What goes into the journal together?

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{JournalPosition, RecordedEvent},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::{load::LoadedAccount, preconditions::Precondition, row::NewRow, unique::Unique},
};

use super::decider::StagedDecision;
use crate::ledger::request::{AccountUnique, ExecuteError, Job, Outcome, ReplyTo};

/// Decided commands that are not stored yet.
#[derive(Debug)]
pub(super) struct PendingBatch<R> {
    /// Set when the first command is decided.
    pub(super) recorded_at: Timestamp,
    pub(super) rows: Vec<NewRow>,
    decided: Vec<Decided<R>>,
    /// Which decision each of its preconditions is for.
    precondition_of: Vec<usize>,
    /// What each account was before this batch, to go back to if it cannot be stored.
    pub(super) before: FxHashMap<AccountId, LoadedAccount>,
    /// The keys and generations that are on their way: a second request with one of them waits for the first.
    uniques: FxHashSet<AccountUnique>,
}

#[derive(Debug)]
pub(super) struct Decided<R> {
    pub(super) job: Job<R>,
    pub(super) verdict: Result<Vec<RecordedEvent>, Refusal>,
}

impl<R> Default for PendingBatch<R> {
    fn default() -> Self {
        Self {
            recorded_at: Timestamp::MIN,
            rows: Vec::new(),
            decided: Vec::new(),
            precondition_of: Vec::new(),
            before: FxHashMap::default(),
            uniques: FxHashSet::default(),
        }
    }
}

impl<R: ReplyTo> PendingBatch<R> {
    pub(super) fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    /// How many commands it has.
    pub(super) fn len(&self) -> usize {
        self.decided.len()
    }

    /// How many events it has, while it is open.
    pub(super) fn events(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn push(&mut self, job: Job<R>, decision: StagedDecision) {
        if !decision.events.is_empty() {
            self.uniques.extend(job.request.uniques());
        }
        self.rows.extend(decision.rows);
        self.decided.push(Decided { job, verdict: Ok(decision.events) });
    }

    /// A refusal waits for what it was decided on: it is true only if that was stored.
    pub(super) fn push_refusal(&mut self, job: Job<R>, refusal: Refusal) {
        self.decided.push(Decided { job, verdict: Err(refusal) });
    }

    /// What the decisions without events rest on. Those with events need no precondition: they are stored only where
    /// they are right.
    pub(super) fn preconditions(
        &mut self,
        accounts: &FxHashMap<AccountId, LoadedAccount>,
    ) -> Vec<Precondition> {
        let (mut indexes, mut preconditions) = (Vec::new(), Vec::new());
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
            let precondition = |sequence, free| Precondition { account: account.clone(), sequence, free };
            preconditions.push(precondition(sequence, uniques.first().cloned()));
            preconditions.extend(uniques.into_iter().skip(1).map(|unique| precondition(None, Some(unique))));
            indexes.resize(preconditions.len(), index);
        }
        self.precondition_of = indexes;
        preconditions
    }

    pub(super) fn has_any_of(&self, job: &Job<R>) -> bool {
        !self.uniques.is_empty() && job.request.uniques().any(|unique| self.uniques.contains(&unique))
    }

    /// An account as the decisions of this batch left it. `None`: it has none on it.
    pub(super) fn account_now(&self, id: &AccountId) -> Option<LoadedAccount> {
        let mut account = self.before.get(id)?.clone();
        let of_account = self.decided.iter().filter(|decided| decided.job.request.account == *id);
        for recorded in of_account.filter_map(|decided| decided.verdict.as_ref().ok()).flatten() {
            account.state.apply(&recorded.event).ok()?;
        }
        let last = self.rows.iter().rfind(|row| row.account == *id);
        account.tail = last.map_or(account.tail, |row| Some(row.leaf_hash));
        Some(account)
    }

    /// The jobs whose preconditions with these indexes do not hold, and the other decisions.
    pub(super) fn split(self, outdated: &[usize]) -> (Vec<Job<R>>, Vec<Decided<R>>) {
        if outdated.is_empty() {
            return (Vec::new(), self.decided);
        }
        let indexes: FxHashSet<usize> =
            outdated.iter().filter_map(|at| self.precondition_of.get(*at).copied()).collect();
        let (mut jobs, mut others) = (Vec::new(), Vec::with_capacity(self.decided.len()));
        for (index, decided) in self.decided.into_iter().enumerate() {
            if indexes.contains(&index) { jobs.push(decided.job) } else { others.push(decided) }
        }
        (jobs, others)
    }

    pub(super) fn into_jobs(self) -> Vec<Job<R>> {
        self.decided.into_iter().map(|decided| decided.job).collect()
    }
}

impl<R: ReplyTo> Decided<R> {
    /// Answers, now that the decision is stored. `head` is where the journal is then.
    pub(super) fn answer(
        self,
        head: JournalPosition,
        stored: impl FnOnce(&Job<R>, &Arc<Vec<RecordedEvent>>),
    ) {
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
