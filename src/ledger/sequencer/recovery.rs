//! What happens if a batch was not stored as it was decided, or it is not known whether it was?
//!
//! Everything is decided again under the lock on the journal's head, so that nothing else can change.
//! First, the commands that are already in the journal are found by their keys and generations.
//! Then the accounts are brought up to date, and the remaining commands are decided and stored in the same transaction.
//! An append that was delayed may arrive later, but is then refused, because the head has moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use crate::{
    domain::{
        ids::AccountId,
        recorded::{Position, RecordedEvent},
        time::Timestamp,
    },
    journal::{load::LoadedAccount, row::NewRows},
};

use super::{AppendRequest, Sequencer, decider::Decider, idempotency_cache};
use crate::ledger::request::{AccountUnique, ExecuteError, ExecuteResult, ReplyTo, Request};

/// Commands that are decided again, and those that wait for that.
#[derive(Debug)]
pub(super) struct Recovery<R> {
    requests: Vec<Request<R>>,
    /// Commands that were decided on the lost batch.
    later: Vec<Request<R>>,
    /// Whether an earlier attempt may have stored them.
    may_be_stored: bool,
}

/// What a recovery has to look up under the lock.
#[derive(Debug)]
pub(in crate::ledger) struct RecoveryRequest {
    pub uniques: Vec<AccountUnique>,
    /// The accounts, as they are known here.
    pub accounts: Vec<LoadedAccount>,
    /// How many commands wait for it.
    pub commands: usize,
}

/// The results of the look-up under the lock.
#[derive(Debug)]
pub(in crate::ledger) struct Locked {
    pub head: Position,
    /// The events of commands that are already in the journal.
    pub found: BTreeMap<AccountUnique, Vec<RecordedEvent>>,
    /// The current accounts. Damaged ones are left out.
    pub accounts: Vec<LoadedAccount>,
}

/// What was decided again, to be stored in the transaction that holds the lock.
#[derive(Debug)]
pub(in crate::ledger) struct Redecided {
    /// It has no preconditions, since nothing can change under the lock.
    pub append: AppendRequest,
    verdicts: Vec<Verdict>,
    accounts: FxHashMap<AccountId, LoadedAccount>,
}

#[derive(Debug)]
enum Verdict {
    /// The journal already has a command with this key or generation.
    Found(AccountUnique, Arc<Vec<RecordedEvent>>),
    Decided(ExecuteResult),
    /// Another command of the same batch has the same key or generation.
    Repeat,
}

impl<R: ReplyTo> Sequencer<R> {
    /// Begins to decide requests again whose decisions do not hold, after restoring the accounts `before` them.
    pub(super) fn begin_recovery(
        &mut self,
        requests: Vec<Request<R>>,
        before: FxHashMap<AccountId, LoadedAccount>,
        may_be_stored: bool,
    ) {
        let mut later = std::mem::take(&mut self.open);
        #[cfg(test)]
        if self.keeps_what_was_decided_on_a_lost_batch {
            self.open = std::mem::take(&mut later);
        }
        // The later batch was decided on the lost one, so its accounts are restored first and the earlier state last.
        self.restore(std::mem::take(&mut later.before));
        self.restore(before);
        self.decided = self.head;
        self.recovery = Some(Recovery { requests, later: later.into_requests(), may_be_stored });
    }

    /// What to look up under the lock on the journal's head. `None`: nothing has to be decided again.
    pub(in crate::ledger) fn recovery(&self) -> Option<RecoveryRequest> {
        let Recovery { requests, .. } = self.recovery.as_ref()?;
        let uniques: BTreeSet<AccountUnique> = requests.iter().flat_map(Request::uniques).collect();
        let ids: BTreeSet<&AccountId> = requests.iter().map(|request| &request.account).collect();
        let known = |id: &AccountId| {
            self.accounts.get(id).cloned().unwrap_or_else(|| LoadedAccount::nothing(id.clone()))
        };
        Some(RecoveryRequest {
            uniques: uniques.into_iter().collect(),
            accounts: ids.into_iter().map(known).collect(),
            commands: requests.len(),
        })
    }

    /// Decides again on the results of the look-up. The sequencer itself is not changed.
    pub(in crate::ledger) fn decide_again(&self, locked: Locked, now: Timestamp) -> Redecided {
        let Locked { head, found, accounts } = locked;
        let found: BTreeMap<AccountUnique, Arc<Vec<RecordedEvent>>> =
            found.into_iter().map(|(unique, events)| (unique, Arc::new(events))).collect();
        let mut accounts: FxHashMap<AccountId, LoadedAccount> =
            accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
        let (mut last, mut rows) = (head, NewRows::default());
        let mut decider = Decider {
            shard: self.shard,
            catalog: &self.catalog,
            stamp: &self.stamp,
            recorded_at: now,
            last: &mut last,
            rows: &mut rows,
        };
        let mut taken = BTreeSet::new();
        let requests = self.recovery.iter().flat_map(|recovery| &recovery.requests);
        let find = |request: &Request<R>| request.uniques().find_map(|unique| found.get_key_value(&unique));
        let verdicts = requests.map(|request| {
            if let Some((unique, events)) = find(request) {
                return Verdict::Found(unique.clone(), Arc::clone(events));
            }
            if request.uniques().any(|unique| taken.contains(&unique)) {
                return Verdict::Repeat;
            }
            if request.is_over(now) {
                return Verdict::Decided(Err(ExecuteError::OutcomeUnknown));
            }
            let Some(account) = accounts.get_mut(&request.account) else {
                return Verdict::Decided(Err(ExecuteError::Damaged));
            };
            let answer = decider.decide(request, account, |_| {});
            if answer.as_ref().is_ok_and(|outcome| !outcome.events.is_empty()) {
                taken.extend(request.uniques());
            }
            Verdict::Decided(answer)
        });
        let verdicts = verdicts.collect();
        let append = AppendRequest {
            shard: self.shard,
            shardings: self.shardings,
            expected: head,
            recorded_at: now,
            rows,
            preconditions: Vec::new(),
        };
        Redecided { append, verdicts, accounts }
    }

    /// Takes over what is stored now, up to `head`, and answers.
    pub(in crate::ledger) fn recovered(&mut self, redecided: Redecided, head: Position, now: Timestamp) {
        let Some(Recovery { requests, later, .. }) = self.recovery.take() else { return };
        let Redecided { verdicts, accounts, .. } = redecided;
        self.head = head;
        self.decided = head;
        self.restore(accounts);
        let mut repeats = Vec::new();
        for (request, verdict) in requests.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Found(unique, events) => {
                    // The request may also have a key that the journal does not have yet.
                    self.answered.insert_one(unique, &events);
                    let answer = idempotency_cache::replay(&request, events);
                    request.answer(answer);
                }
                Verdict::Decided(answer) => self.tell(request, answer),
                Verdict::Repeat => repeats.push(request),
            }
        }
        repeats.into_iter().chain(later).for_each(|request| self.accept(request, now));
        self.accept_waiting(now);
    }

    /// An attempt has failed. `may_be_stored`: it is not known whether its transaction was committed.
    pub(in crate::ledger) fn recovery_failed(&mut self, may_be_stored: bool) {
        if let Some(recovery) = &mut self.recovery {
            recovery.may_be_stored |= may_be_stored;
        }
    }

    /// Answers that the commands cannot be stored now, and goes on with the others.
    /// If they were stored after all, the journal's head has moved, so that nothing is decided on an old state.
    pub(in crate::ledger) fn give_up_recovery(&mut self, now: Timestamp) {
        let Some(Recovery { requests, later, may_be_stored }) = self.recovery.take() else { return };
        let answer = if may_be_stored { ExecuteError::OutcomeUnknown } else { ExecuteError::Unavailable };
        requests.into_iter().for_each(|request| request.answer(Err(answer.clone())));
        later.into_iter().for_each(|request| self.accept(request, now));
        self.accept_waiting(now);
    }
}
