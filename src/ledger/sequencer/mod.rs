//! In which order are commands decided, and what may be answered when? A state machine without a clock, a task or a
//! database.
//!
//! It decides commands in memory, one after the other, on what it knows of the accounts.
//! While one batch is being stored, the next one forms.
//! Nobody is answered before the batch that their command is in, or was decided on, is stored.
//! A refusal stores nothing, so it comes with preconditions, which are looked up before it is told: another instance
//! may have been at the account, or the key may be taken.
//! If a batch cannot be stored as it was decided, all that was decided on it is dropped and decided again under the
//! journal's lock ([`recovery`]).
//!
//! Whoever drives it (a shard's task, or a simulation) does the input and output: it takes what [`Sequencer::seal`],
//! [`Sequencer::next_load`] and [`Sequencer::recovery`] ask for, and says what came of it.

mod batch;
mod decider;
mod idempotency_cache;
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
    journal::{load::LoadedAccount, preconditions::Precondition, row::NewRows, snapshot::SNAPSHOT_EVENTS},
};

use super::request::{ExecuteError, ExecuteResult, ReplyTo, Request};

use batch::{Answered, PendingBatch};
use decider::Decider;
use idempotency_cache::IdempotencyCache;
use recovery::Recovery;

pub(super) use recovery::{Locked, RecoveryRequest, Redecided};

/// How much is kept in memory, and how much is asked for at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Commands in hand: decided and not stored, or waiting for their account. The others wait in the queue.
    pub commands: usize,
    /// Commands that are handed over at once.
    pub arriving: usize,
    /// Events in one batch. More wait for the next one.
    pub batch_events: usize,
    pub accounts: usize,
    /// Accounts that one load asks for.
    pub load_accounts: usize,
    pub loads: usize,
    /// Answers that are remembered by their key.
    pub answers: usize,
}

/// What is to be stored, all or nothing.
#[derive(Debug)]
pub(super) struct AppendRequest {
    pub shard: Shard,
    /// Where the journal must end for the rows to be right.
    pub expected: Position,
    pub recorded_at: Timestamp,
    pub rows: NewRows,
    /// What the decisions without events rest on. To be looked up when the rows are stored.
    pub preconditions: Vec<Precondition>,
}

/// A batch that is stored.
#[derive(Debug)]
pub(super) struct Appended {
    /// Where the journal ends with it.
    pub position: Position,
    /// The indexes of preconditions that are not known to hold.
    pub outdated: Vec<usize>,
}

/// A batch that is not stored as it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppendFailure {
    /// Nothing of it is stored, and never will be.
    NotStored,
    /// It is stored, or not, or will be, unless the journal's head moves first.
    Unknown,
}

/// Accounts that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoadFailure {
    Unavailable,
    /// One of them has a history that the rules do not write.
    Damaged,
}

/// Decisions that hold and have not been told yet.
#[derive(Debug)]
#[must_use = "whoever sent the commands waits for their answers"]
pub(super) struct Answers<R>(Vec<Answered<R>>);

#[derive(Debug)]
pub(super) struct Sequencer<R> {
    shard: Shard,
    catalog: Arc<Catalog>,
    limits: Limits,
    /// The last position that is known. Another instance may be further.
    head: Position,
    /// The position of the last event that was decided, stored or not.
    decided: Position,
    accounts: FxHashMap<AccountId, LoadedAccount>,
    /// What is decided and will be stored next.
    open: PendingBatch<R>,
    /// What is on its way into the journal.
    sealed: Option<PendingBatch<R>>,
    recovery: Option<Recovery<R>>,
    answered: IdempotencyCache,
    /// Commands with the key or the generation of one that is on its way, and those that came during a recovery.
    waiting: Vec<Request<R>>,
    /// Commands on accounts that are being loaded.
    loading: FxHashMap<AccountId, Vec<Request<R>>>,
    loading_count: usize,
    to_load: Vec<AccountId>,
    /// Accounts that are loaded alone, because a load of several met one that is damaged.
    to_load_alone: Vec<AccountId>,
    loads: usize,
    snapshots_due: Vec<AccountId>,
    /// A mistake that the simulation has to find.
    #[cfg(test)]
    pub(super) keeps_what_was_decided_on_a_lost_batch: bool,
}

impl<R: ReplyTo> Sequencer<R> {
    /// `head`: where the journal ends.
    pub(super) fn new(shard: Shard, catalog: Arc<Catalog>, limits: Limits, head: Position) -> Self {
        Self {
            shard,
            catalog,
            limits,
            head,
            decided: head,
            accounts: FxHashMap::default(),
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

    /// The last position that is known.
    pub(super) const fn head(&self) -> Position {
        self.head
    }

    /// Whether commands have to be decided again ([`Self::recovery`]).
    pub(super) const fn is_recovering(&self) -> bool {
        self.recovery.is_some()
    }

    /// Whether as many commands may be handed over as arrive at once.
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

    /// Decides one command, or lets it wait for what it needs.
    pub(super) fn accept(&mut self, request: Request<R>, now: Timestamp) {
        if let Some(answer) = self.answered.find(&request) {
            request.answer(answer);
        } else if self.recovery.is_some() || self.is_on_its_way(&request) {
            self.waiting.push(request);
        } else if let Some(request) = self.decide(request, now) {
            self.let_wait_for_load(request);
        }
    }

    /// Whether a command with the key or the generation of this one is decided and not stored.
    fn is_on_its_way(&self, request: &Request<R>) -> bool {
        self.open.has_any_of(request) || self.sealed.as_ref().is_some_and(|sealed| sealed.has_any_of(request))
    }

    /// Gives the request back when its account is not known.
    fn decide(&mut self, request: Request<R>, now: Timestamp) -> Option<Request<R>> {
        let Some(account) = self.accounts.get_mut(&request.account) else { return Some(request) };
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
            recorded_at: self.open.recorded_at,
            last: &mut self.decided,
            rows: &mut self.open.rows,
        };
        let answer = decider.decide(&request, account, keep);
        if matches!(answer, Err(ExecuteError::Damaged)) {
            tracing::error!(account = %request.account, "a decision cannot be applied to its account");
            // What the batch has decided before on this account stands.
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

    /// Accounts that have to be read now. [`Self::loaded`] must be told what came of it.
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

    /// What came of a load of these accounts.
    pub(super) fn loaded(
        &mut self,
        ids: Vec<AccountId>,
        loaded: Result<Vec<LoadedAccount>, LoadFailure>,
        now: Timestamp,
    ) {
        self.loads = self.loads.saturating_sub(1);
        match loaded {
            Ok(accounts) => {
                self.make_room();
                for account in accounts {
                    let requests = self.loaded_for(&account.id);
                    self.accounts.entry(account.id.clone()).or_insert(account);
                    requests.into_iter().for_each(|request| self.accept(request, now));
                }
            }
            // One damaged account must not keep the others from being loaded.
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

    /// Forgets accounts when there are too many, none that the open batch is about.
    fn make_room(&mut self) {
        if self.accounts.len() >= self.limits.accounts && self.open.is_empty() {
            self.accounts.clear();
        }
    }

    /// Closes the open batch, unless one is on its way. [`Self::appended`] must be told what came of it.
    pub(super) fn seal(&mut self) -> Option<AppendRequest> {
        if self.sealed.is_some() || self.recovery.is_some() || self.open.is_empty() {
            return None;
        }
        let mut batch = std::mem::take(&mut self.open);
        let preconditions = batch.preconditions(&self.accounts);
        let request = AppendRequest {
            shard: self.shard,
            expected: self.head,
            recorded_at: batch.recorded_at,
            rows: std::mem::take(&mut batch.rows),
            preconditions,
        };
        self.sealed = Some(batch);
        Some(request)
    }

    /// What came of the sealed batch: what may be told now. What does not hold is to be recovered
    /// ([`Self::recovery`]).
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

    /// Tells what holds, and goes on with the commands that waited for it.
    pub(super) fn answer(&mut self, answers: Answers<R>, now: Timestamp) {
        answers.0.into_iter().for_each(|(request, answer)| self.tell(request, answer));
        self.accept_waiting(now);
    }

    /// Answers a request, and remembers what it did.
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
        self.accounts.extend(before);
    }

    /// Accounts that have enough new events for a new snapshot.
    pub(super) fn take_due_snapshots(&mut self) -> Vec<AccountId> {
        std::mem::take(&mut self.snapshots_due)
    }

    fn note_due_snapshots(&mut self, batch: &PendingBatch<R>) {
        for before in batch.before.values() {
            let now = self.accounts.get(&before.id).map_or(0, LoadedAccount::sequence);
            if now / SNAPSHOT_EVENTS > before.sequence() / SNAPSHOT_EVENTS {
                self.snapshots_due.push(before.id.clone());
            }
        }
    }
}
