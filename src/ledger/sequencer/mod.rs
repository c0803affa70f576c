//! In which order are commands decided, and what may be answered when?
//! This is a state machine without a clock, a task or a database.
//!
//! It decides commands in memory, one after the other, on loaded accounts.
//! While one batch is being stored, the next one forms.
//! A command is only answered once the batch is stored that it is in, or that its decision depends on.
//! A refusal stores nothing, so it has preconditions that are checked before it is answered: another instance may have
//! changed the account, or the key may be taken.
//! If a batch cannot be stored as it was decided, everything that was decided on it is dropped and decided again under
//! the journal's lock ([`recovery`]).
//!
//! Its driver (a shard's task, or a simulation) does the input and output: it carries out what [`Sequencer::seal`],
//! [`Sequencer::next_load`] and [`Sequencer::recovery`] return, and reports the results.

mod account_cache;
mod batch;
mod decider;
mod exchange;
mod idempotency_cache;
mod offline;
mod recovery;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    domain::{
        catalog::Catalog,
        ids::AccountId,
        recorded::{Position, Shard},
        time::Timestamp,
    },
    journal::{load::LoadedAccount, snapshot},
};

use super::request::{ExecuteError, ExecuteResult, ReplyTo, Request};

use account_cache::AccountCache;
use batch::PendingBatch;
use decider::Decider;
use idempotency_cache::IdempotencyCache;
use recovery::Recovery;

pub(super) use exchange::{Answers, AppendFailure, AppendRequest, Appended, Limits, LoadFailure};
pub use offline::OfflineDecisions;
pub(super) use recovery::{Locked, RecoveryRequest, Redecided};

#[derive(Debug)]
pub(super) struct Sequencer<R> {
    shard: Shard,
    /// How many the journal has, as this instance knows.
    shardings: i16,
    catalog: Arc<Catalog>,
    /// See [`Catalog::stamp`].
    stamp: Arc<str>,
    limits: Limits,
    /// The last known position of the journal. Other instances may have stored more.
    head: Position,
    /// The position of the last decided event, stored or not.
    decided: Position,
    accounts: AccountCache,
    /// The batch that is forming.
    open: PendingBatch<R>,
    /// The batch that is being stored.
    sealed: Option<PendingBatch<R>>,
    recovery: Option<Recovery<R>>,
    answered: IdempotencyCache,
    /// Commands with the key or generation of one that is being stored, and those that arrived during a recovery.
    waiting: Vec<Request<R>>,
    /// Commands on accounts that are being loaded.
    loading: FxHashMap<AccountId, Vec<Request<R>>>,
    loading_count: usize,
    to_load: Vec<AccountId>,
    /// Accounts to load one by one, because loading several failed on a damaged one.
    to_load_alone: Vec<AccountId>,
    loads: usize,
    snapshots_due: Vec<AccountId>,
    /// A deliberate mistake that the simulation has to find.
    #[cfg(test)]
    pub(super) keeps_what_was_decided_on_a_lost_batch: bool,
}

impl<R: ReplyTo> Sequencer<R> {
    /// `head`: the end of the journal. `shardings`: how many it has.
    pub(super) fn new(
        shard: Shard,
        shardings: i16,
        catalog: Arc<Catalog>,
        limits: Limits,
        head: Position,
    ) -> Self {
        Self {
            shard,
            shardings,
            stamp: catalog.stamp().into(),
            catalog,
            limits,
            head,
            decided: head,
            accounts: AccountCache::new(limits.accounts_bytes),
            open: PendingBatch::default(),
            sealed: None,
            recovery: None,
            answered: IdempotencyCache::new(limits.answers),
            waiting: Vec::new(),
            loading: FxHashMap::default(),
            loading_count: 0,
            to_load: Vec::new(),
            to_load_alone: Vec::new(),
            loads: 0,
            snapshots_due: Vec::new(),
            #[cfg(test)]
            keeps_what_was_decided_on_a_lost_batch: false,
        }
    }

    /// The last known position of the journal.
    pub(super) const fn head(&self) -> Position {
        self.head
    }

    /// Whether commands have to be decided again ([`Self::recovery`]).
    pub(super) const fn is_recovering(&self) -> bool {
        self.recovery.is_some()
    }

    /// Whether [`Limits::arriving`] more commands may be handed over.
    pub(super) fn has_room(&self) -> bool {
        let decided = self.open.len().saturating_add(self.sealed.as_ref().map_or(0, PendingBatch::len));
        let held = decided.saturating_add(self.waiting.len()).saturating_add(self.loading_count);
        self.recovery.is_none()
            && self.open.events() < self.limits.batch_events
            && held.saturating_add(self.limits.arriving) <= self.limits.commands
    }

    /// Whether everything that was accepted is answered.
    pub(super) fn is_idle(&self) -> bool {
        let in_hand = self.open.len().saturating_add(self.waiting.len());
        let is_on_its_way = self.sealed.is_some() || self.recovery.is_some();
        in_hand == 0 && !is_on_its_way && self.loading.is_empty()
    }

    /// Decides one command, or keeps it until what it needs is there.
    pub(super) fn accept(&mut self, request: Request<R>, now: Timestamp) {
        if let Some(answer) = self.answered.find(&request) {
            request.answer(answer);
        } else if self.recovery.is_some() || self.is_on_its_way(&request) {
            self.waiting.push(request);
        } else if let Some(request) = self.decide(request, now) {
            self.let_wait_for_load(request);
        }
    }

    /// Whether a command with this key or generation is decided and not stored.
    fn is_on_its_way(&self, request: &Request<R>) -> bool {
        self.open.has_any_of(request) || self.sealed.as_ref().is_some_and(|sealed| sealed.has_any_of(request))
    }

    /// Decides a request. Returns it if its account is not loaded.
    fn decide(&mut self, request: Request<R>, now: Timestamp) -> Option<Request<R>> {
        if request.is_over(now) {
            request.answer(Err(ExecuteError::OutcomeUnknown));
            return None;
        }
        let Some(account) = self.accounts.use_now(&request.account) else { return Some(request) };
        if self.open.is_empty() {
            self.open.recorded_at = now;
        }
        let was_known = self.open.before.contains_key(&account.id);
        let before = &mut self.open.before;
        let keep = |account: &LoadedAccount| {
            if !was_known {
                before.insert(account.id.clone(), account.clone());
            }
        };
        let mut decider = Decider {
            shard: self.shard,
            catalog: &self.catalog,
            stamp: &self.stamp,
            recorded_at: self.open.recorded_at,
            last: &mut self.decided,
            rows: &mut self.open.rows,
        };
        let answer = decider.decide(&request, account, keep);
        if matches!(answer, Err(ExecuteError::Damaged)) {
            tracing::error!(account = %request.account, "a decision cannot be applied to its account");
            // The batch's earlier decisions on this account stay as they are.
            if let Some(now) = self.open.account_now(&request.account) {
                *account = now;
            }
            if !was_known {
                self.open.before.remove(&request.account);
            }
            request.answer(answer);
        } else {
            self.open.push(request, answer);
        }
        None
    }

    fn let_wait_for_load(&mut self, request: Request<R>) {
        let id = request.account.clone();
        let requests = self.loading.entry(id.clone()).or_default();
        if requests.is_empty() {
            self.to_load.push(id);
        }
        requests.push(request);
        self.loading_count = self.loading_count.saturating_add(1);
    }

    fn loaded_for(&mut self, id: &AccountId) -> Vec<Request<R>> {
        let requests = self.loading.remove(id).unwrap_or_default();
        self.loading_count = self.loading_count.saturating_sub(requests.len());
        requests
    }

    /// The accounts to load now. [`Self::loaded`] must be called with the result.
    pub(super) fn next_load(&mut self) -> Option<Vec<AccountId>> {
        if self.loads >= self.limits.loads {
            return None;
        }
        let ids = if let Some(id) = self.to_load_alone.pop() {
            vec![id]
        } else {
            let count = self.to_load.len().min(self.limits.load_accounts);
            self.to_load.drain(..count).collect()
        };
        if ids.is_empty() {
            return None;
        }
        self.loads = self.loads.saturating_add(1);
        Some(ids)
    }

    /// Takes the result of a load of these accounts.
    pub(super) fn loaded(
        &mut self,
        ids: Vec<AccountId>,
        loaded: Result<Vec<LoadedAccount>, LoadFailure>,
        now: Timestamp,
    ) {
        self.loads = self.loads.saturating_sub(1);
        match loaded {
            Ok(accounts) => {
                for account in accounts {
                    let requests = self.loaded_for(&account.id);
                    if self.accounts.get(&account.id).is_none() {
                        self.accounts.insert(account);
                    }
                    requests.into_iter().for_each(|request| self.accept(request, now));
                }
            }
            // One damaged account must not prevent the others from being loaded.
            Err(LoadFailure::Damaged) if ids.len() > 1 => self.to_load_alone.extend(ids),
            Err(failure) => {
                let answer = match failure {
                    LoadFailure::Unavailable => ExecuteError::Unavailable,
                    LoadFailure::Damaged => ExecuteError::Damaged,
                };
                for id in ids {
                    self.loaded_for(&id).into_iter().for_each(|request| request.answer(Err(answer.clone())));
                }
            }
        }
    }

    /// Closes the open batch, unless one is being stored. [`Self::appended`] must be called with the result.
    pub(super) fn seal(&mut self) -> Option<AppendRequest> {
        if self.sealed.is_some() || self.recovery.is_some() || self.open.is_empty() {
            return None;
        }
        let mut batch = std::mem::take(&mut self.open);
        let preconditions = batch.preconditions(&self.accounts);
        // No open batch is decided on any account now.
        self.accounts.make_room();
        let request = AppendRequest {
            shard: self.shard,
            shardings: self.shardings,
            expected: self.head,
            recorded_at: batch.recorded_at,
            rows: std::mem::take(&mut batch.rows),
            preconditions,
        };
        self.sealed = Some(batch);
        Some(request)
    }

    /// Takes the result of the sealed batch, and returns what may be answered.
    /// What does not hold has to be recovered ([`Self::recovery`]).
    pub(super) fn appended(&mut self, appended: Result<Appended, AppendFailure>) -> Answers<R> {
        let Some(mut batch) = self.sealed.take() else { return Answers(Vec::new()) };
        match appended {
            Ok(Appended { position, outdated }) => {
                self.head = position;
                self.note_due_snapshots(&batch);
                let (again, stored) = batch.split(&outdated);
                if !again.is_empty() {
                    self.begin_recovery(again, FxHashMap::default(), false);
                }
                Answers(stored)
            }
            Err(failure) => {
                let before = std::mem::take(&mut batch.before);
                self.begin_recovery(batch.into_requests(), before, failure == AppendFailure::Unknown);
                Answers(Vec::new())
            }
        }
    }

    /// Answers, and goes on with the commands that waited for these.
    pub(super) fn answer(&mut self, answers: Answers<R>, now: Timestamp) {
        answers.0.into_iter().for_each(|(request, answer)| self.tell(request, answer));
        self.accept_waiting(now);
    }

    /// Answers a request, and remembers the answer.
    fn tell(&mut self, request: Request<R>, answer: ExecuteResult) {
        if let Ok(outcome) = &answer
            && !outcome.events.is_empty()
        {
            self.answered.insert(&request, &outcome.events);
        }
        request.answer(answer);
    }

    fn accept_waiting(&mut self, now: Timestamp) {
        if self.recovery.is_none() {
            std::mem::take(&mut self.waiting).into_iter().for_each(|request| self.accept(request, now));
        }
    }

    fn restore(&mut self, before: impl IntoIterator<Item = (AccountId, LoadedAccount)>) {
        before.into_iter().for_each(|(_, account)| self.accounts.insert(account));
    }

    /// Accounts with enough new events for a snapshot.
    pub(super) fn take_due_snapshots(&mut self) -> Vec<AccountId> {
        std::mem::take(&mut self.snapshots_due)
    }

    fn note_due_snapshots(&mut self, batch: &PendingBatch<R>) {
        for before in batch.before.values() {
            let (now, bytes) = self.accounts.weigh_again(&before.id).unwrap_or_default();
            if snapshot::is_due(before.sequence(), now, bytes) {
                self.snapshots_due.push(before.id.clone());
            }
        }
    }
}
