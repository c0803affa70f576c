//! Which requests are stored in the journal together?

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    domain::{ids::AccountId, time::Timestamp},
    journal::{load::LoadedAccount, preconditions::Precondition, row::NewRows, unique::Unique},
};

use crate::ledger::request::{AccountUnique, ExecuteResult, Request};

use super::account_cache::AccountCache;

/// A request with its answer, which is sent once the batch is stored that the answer depends on.
pub(super) type Answered<R> = (Request<R>, ExecuteResult);

/// Decided commands that are not stored yet.
#[derive(Debug)]
pub(super) struct PendingBatch<R> {
    /// Set when the first command is decided.
    pub(super) recorded_at: Timestamp,
    pub(super) rows: NewRows,
    decided: Vec<Answered<R>>,
    /// The index of the decision that each precondition is for.
    precondition_of: Vec<usize>,
    /// The accounts before this batch, to restore if it cannot be stored.
    pub(super) before: FxHashMap<AccountId, LoadedAccount>,
    /// The keys and generations of the batch. A second request with one of them waits for the first.
    uniques: FxHashSet<AccountUnique>,
}

impl<R> Default for PendingBatch<R> {
    fn default() -> Self {
        Self {
            recorded_at: Timestamp::MIN,
            rows: NewRows::default(),
            decided: Vec::new(),
            precondition_of: Vec::new(),
            before: FxHashMap::default(),
            uniques: FxHashSet::default(),
        }
    }
}

impl<R> PendingBatch<R> {
    pub(super) fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    /// How many commands it has.
    pub(super) fn len(&self) -> usize {
        self.decided.len()
    }

    /// How many events it has.
    pub(super) fn events(&self) -> usize {
        self.rows.len()
    }

    /// Adds a request whose rows are already in the batch.
    /// A refusal also waits for the batch that it was decided on, since it is only true if that is stored.
    pub(super) fn push(&mut self, request: Request<R>, answer: ExecuteResult) {
        if answer.as_ref().is_ok_and(|outcome| !outcome.events.is_empty()) {
            self.uniques.extend(request.uniques());
        }
        self.decided.push((request, answer));
    }

    /// The preconditions of decisions without events.
    /// Decisions with events need none, since the journal only stores them if their state is right.
    pub(super) fn preconditions(&mut self, accounts: &AccountCache) -> Vec<Precondition> {
        let (mut indexes, mut preconditions) = (Vec::new(), Vec::new());
        for (index, (request, answer)) in self.decided.iter().enumerate() {
            let uniques: Vec<Unique> = match answer {
                Ok(outcome) if !outcome.events.is_empty() => continue,
                // Commands without an effect can be repeated.
                Ok(_) => Vec::new(),
                Err(_) => request.uniques().map(|(_, unique)| unique).collect(),
            };
            // If the batch has events of the account, storing them already checks the account's state.
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

    pub(super) fn has_any_of(&self, request: &Request<R>) -> bool {
        !self.uniques.is_empty() && request.uniques().any(|unique| self.uniques.contains(&unique))
    }

    /// An account after this batch's decisions. `None`: the batch has no events of it.
    pub(super) fn account_now(&self, id: &AccountId) -> Option<LoadedAccount> {
        let mut account = self.before.get(id)?.clone();
        let of_account = self.decided.iter().filter(|(request, _)| request.account == *id);
        let outcomes = of_account.filter_map(|(_, answer)| answer.as_ref().ok());
        for recorded in outcomes.flat_map(|outcome| outcome.events.iter()) {
            account.state.apply(&recorded.event).ok()?;
        }
        account.tail = self.rows.last_leaf_of(id).or(account.tail);
        Some(account)
    }

    /// Splits off the requests whose preconditions have these indexes, which do not hold, and returns the others with
    /// their answers.
    pub(super) fn split(self, outdated: &[usize]) -> (Vec<Request<R>>, Vec<Answered<R>>) {
        if outdated.is_empty() {
            return (Vec::new(), self.decided);
        }
        let indexes: FxHashSet<usize> =
            outdated.iter().filter_map(|at| self.precondition_of.get(*at).copied()).collect();
        let (mut again, mut others) = (Vec::new(), Vec::with_capacity(self.decided.len()));
        for (index, (request, answer)) in self.decided.into_iter().enumerate() {
            if indexes.contains(&index) { again.push(request) } else { others.push((request, answer)) }
        }
        (again, others)
    }

    pub(super) fn into_requests(self) -> Vec<Request<R>> {
        self.decided.into_iter().map(|(request, _)| request).collect()
    }
}
