//! How is an account changed? Only by sending a command here.

mod cached_account;
mod deductions;
mod group_commit;
mod growth;
mod newest;
mod pending_append;
mod pending_commands;
mod recover;
mod request;
mod sequencer;
mod shard;
mod shard_handle;
mod store_batch;
// A test of the sequencer with a journal in memory. It uses items that are private to this part.
#[cfg(test)]
#[path = "../../tests/unit/ledger/simulation/mod.rs"]
mod simulation;
mod unstored;
mod view;

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use sqlx::PgPool;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

pub use crate::domain::recorded::Origin;
pub use cached_account::CacheMemory;
pub use request::{ExecuteError, ExecuteResult, IdempotencyKey, Outcome, Provenance, Repeated, Request};
pub use sequencer::OfflineDecisions;
pub use view::{View, ViewError};

use crate::{
    clock::Clock,
    domain::{
        catalog::Catalog,
        ids::AccountId,
        recorded::{JournalPosition, JournalPositions, Position, RecordedEvent, Shard},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::{
        feed::Feed,
        find, probe, range,
        row::RowError,
        shards::{self, Shards},
    },
    postgres::placement,
};

use group_commit::{GroupCommit, spawn_together};
use newest::Newest;
use request::PendingReply;
use shard_handle::{ShardHandle, ShardLimits, ShardParts};
use view::ViewedAccounts;

/// How many commands may wait. More are refused at once, so that the wait is bounded.
pub const COMMANDS_QUEUED_MAX: usize = 8_192;
/// How many commands may be in progress: decided and not stored, or waiting for their account to be loaded.
/// More wait in the queue.
pub const COMMANDS_HELD_MAX: usize = 16_384;
/// How long a caller waits for an outcome before the answer is that it is not known yet.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How many look-ups of earlier deductions run at the same time, so that batches of refunds do not delay other reads.
const LOOKUPS_MAX: usize = 4;

/// Changes accounts, and reads their exact state. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    shards: Shards,
    /// For each shard, in the same order.
    handles: Arc<[ShardHandle]>,
    clock: Clock,
    catalog: Arc<Catalog>,
    pool: PgPool,
    lookups: Arc<Semaphore>,
    newest: Arc<Newest>,
    grown: CancellationToken,
}

/// The tasks of a [`Ledger`]. They end when every clone of the ledger is dropped and everything is answered.
pub struct Running(Vec<JoinHandle<()>>);

impl Running {
    /// Waits until everything that was accepted is answered.
    pub async fn finished(self) {
        // A panic in a task was reported when it happened, and there is nothing left to wait for.
        let _ended = join_all(self.0).await;
    }
}

impl Ledger {
    /// Starts a ledger on a migrated database.
    ///
    /// # Errors
    /// If the database does not answer, or a shard of it is missing.
    pub async fn start(
        pool: PgPool,
        catalog: Arc<Catalog>,
        clock: Clock,
    ) -> Result<(Self, Running), sqlx::Error> {
        let feed = Feed::new(pool.clone());
        Self::start_with(pool, catalog, clock, feed, CacheMemory::default()).await
    }

    /// The same, with a feed whose readers are given in memory what the ledger appends, and with as much memory for
    /// accounts as is said.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        pool: PgPool,
        catalog: Arc<Catalog>,
        clock: Clock,
        feed: Feed,
        memory: CacheMemory,
    ) -> Result<(Self, Running), sqlx::Error> {
        let mut connection = pool.acquire().await?;
        let shards = Shards::read(&mut connection).await?;
        let heads = shards::heads(&mut connection).await?;
        let is_on_one_node = !placement::is_distributed(&mut connection).await?;
        drop(connection);
        let newest = Newest::new(newest::recorded(&pool, &heads).await?);
        newest.behind_s(clock.now());
        let limits = ShardLimits::of(shards.iter().len(), memory);
        let viewed = Arc::new(ViewedAccounts::new(memory));
        let group = (shards.iter().len() > 1 && is_on_one_node).then(|| GroupCommit::new(&pool));
        let (group, committing) = group.unzip();
        let (loads, grown) = (shard_handle::loads(), CancellationToken::new());
        let shardings = shards.shardings();
        let parts = ShardParts { pool, catalog, clock, feed, limits, viewed, loads, group, shardings, grown };
        let (handles, tasks): (Vec<_>, Vec<_>) = shards
            .iter()
            .map(|shard| parts.start(JournalPosition::new(shard, heads.of(shard).unwrap_or_default())))
            .unzip();
        let ShardParts { pool, catalog, clock, grown, .. } = parts;
        let (newest, lookups) = (Arc::new(newest), Arc::new(Semaphore::new(LOOKUPS_MAX)));
        let handles = handles.into();
        let ledger = Self { shards, handles, clock, catalog, pool, lookups, newest, grown };
        let (writing, keeping): (Vec<_>, Vec<_>) = tasks.into_iter().unzip();
        let writing: Vec<_> = match committing {
            Some(committing) => vec![spawn_together(writing.into_iter().chain([committing]).collect())],
            None => writing.into_iter().map(tokio::spawn).collect(),
        };
        Ok((ledger, Running(writing.into_iter().chain(keeping).collect())))
    }

    /// Executes a command: exactly once for its key, and durably before this returns.
    ///
    /// # Errors
    /// If the command is refused or cannot be executed now: see [`ExecuteError`].
    pub async fn execute(&self, mut request: Request) -> ExecuteResult {
        if request.command.deductions_mut().is_some() {
            return self.execute_refund(request).await;
        }
        self.execute_until(Instant::now() + ANSWER_TIMEOUT, request).await
    }

    async fn execute_until(&self, until: Instant, request: Request) -> ExecuteResult {
        let handle = self.handle(&request.account).ok_or(ExecuteError::Unavailable)?;
        let (reply, answer) = oneshot::channel();
        let place = handle.waiting.enter();
        let reply_to = PendingReply { accepted_at: self.clock.now(), reply, place };
        handle.commands.try_send(request.with_reply_to(reply_to)).map_err(|full| match full {
            mpsc::error::TrySendError::Full(_) => ExecuteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ExecuteError::Unavailable,
        })?;
        match timeout_at(until, answer).await {
            Ok(Ok(answer)) => self.checked(answer).await,
            // The shard's task ended while it had the command.
            Ok(Err(_)) | Err(_) => Err(ExecuteError::OutcomeUnknown),
        }
    }

    /// Every shard has one.
    fn handle(&self, account: &AccountId) -> Option<&ShardHandle> {
        self.handles.get(self.shards.slot_of(account))
    }

    /// A refusal may be wrong if this machine's clock is behind, or if the ledger was grown; then the answer is another
    /// one.
    async fn checked(&self, answer: ExecuteResult) -> ExecuteResult {
        let now = self.clock.now();
        match &answer {
            Ok(outcome) => {
                if let Some(last) = outcome.events.last() {
                    self.newest.note(last.recorded_at);
                }
                self.newest.behind_s(now);
            }
            Err(ExecuteError::Refused(Refusal::AccountNotFound)) => {
                // It may have been opened in a shard that this program does not know.
                return self.require_current().await.map_or(Err(ExecuteError::Unavailable), |()| answer);
            }
            Err(ExecuteError::Refused(refusal)) => {
                let behind_s = self.refused_by_the_clock_s(refusal).await;
                return behind_s.map_or(answer, |behind_s| Err(ExecuteError::ClockBehind { behind_s }));
            }
            Err(_) => {}
        }
        answer
    }

    /// By how many seconds the clock is behind, if that may be why something is refused.
    /// `None`: the clock is not the reason.
    pub async fn refused_by_the_clock_s(&self, refusal: &Refusal) -> Option<i64> {
        let now = self.clock.now();
        if !refusal.may_pass() || self.newest.behind_s(now).is_none() {
            return None;
        }
        // The clock of another instance may have been wrong, whose events are the newest ones known here.
        self.clock_behind_s().await.unwrap_or_else(|_| self.newest.behind_s(now))
    }

    /// By how many seconds the clock is behind the last events, whichever instance wrote them. `None`: it seems right.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn clock_behind_s(&self) -> Result<Option<i64>, sqlx::Error> {
        if let Some(newest) = newest::recorded(&self.pool, &self.heads().await?).await? {
            self.newest.replace(newest);
        }
        Ok(self.newest.behind_s(self.clock.now()))
    }

    /// The state of an account, including all that any instance has acknowledged.
    ///
    /// # Errors
    /// If the database does not answer, or the account's history is damaged.
    pub async fn view(&self, account: &AccountId) -> Result<View, ViewError> {
        let handle = self.handle(account).ok_or(sqlx::Error::RowNotFound)?;
        let view = handle.views.current(account).await?;
        if view.sequence == 0 {
            self.require_current().await?;
        }
        Ok(view)
    }

    /// The earlier request with the same key, if there was one.
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn find_repeated(&self, request: &Request) -> Result<Option<Repeated>, RowError> {
        let uniques: Vec<_> = request.uniques().collect();
        let mut connection = self.pool.acquire().await?;
        let found = find::by_uniques(&mut connection, self.shard_of(request.account()), &uniques).await?;
        let earlier = found.into_values().flatten().next();
        Ok(earlier.map(|earlier| {
            if earlier.metadata.request_hash == request.hash { Repeated::Same } else { Repeated::Another }
        }))
    }

    /// The shard of an account.
    #[must_use]
    pub fn shard_of(&self, account: &AccountId) -> Shard {
        self.shards.of(account)
    }

    /// The shards of the journal.
    #[must_use]
    pub const fn shards(&self) -> &Shards {
        &self.shards
    }

    /// One event of an account by its sequence.
    ///
    /// # Errors
    /// If the database does not answer, or the event cannot be read.
    pub async fn find_event(
        &self,
        account: &AccountId,
        sequence: i64,
    ) -> Result<Option<RecordedEvent>, RowError> {
        let found = find::by_sequence(&self.pool, self.shard_of(account), account, sequence).await?;
        if found.is_none() {
            self.require_current().await?;
        }
        Ok(found)
    }

    /// The events of an account after a sequence, at most `limit` of them.
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn stream(
        &self,
        account: &AccountId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, RowError> {
        let events = find::stream(&self.pool, self.shard_of(account), account, after, limit).await?;
        if events.is_empty() && after == 0 {
            self.require_current().await?;
        }
        Ok(events)
    }

    /// The events of these types after a position of a shard, up to another one.
    /// An event that cannot be read does not stop the others.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn events_of(
        &self,
        types: &[&str],
        after: JournalPosition,
        until: Position,
    ) -> Result<Vec<Result<RecordedEvent, RowError>>, sqlx::Error> {
        range::of_types(&self.pool, after.shard, types, after.position, until).await
    }

    /// The position before the first event of a shard that was recorded at `at` or later.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn position_before(
        &self,
        at: Timestamp,
        head: JournalPosition,
    ) -> Result<Position, sqlx::Error> {
        range::before(&self.pool, head.shard, at, head.position).await
    }

    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The newest position of each shard that this instance has stored or seen.
    #[must_use]
    pub fn positions(&self) -> Vec<(Shard, watch::Receiver<Position>)> {
        self.handles.iter().map(|handle| (handle.shard, handle.positions.clone())).collect()
    }

    /// The ends of the journal when this instance last read or wrote them.
    #[must_use]
    pub fn known_heads(&self) -> JournalPositions {
        self.handles
            .iter()
            .map(|handle| JournalPosition::new(handle.shard, *handle.positions.borrow()))
            .collect()
    }

    /// The ends of the journal now, whichever instance wrote there.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn heads(&self) -> Result<JournalPositions, sqlx::Error> {
        shards::heads(&mut *self.pool.acquire().await?).await
    }

    /// The shards whose commands could lately not be stored.
    ///
    /// # Errors
    /// If the database does not answer, or refuses a write.
    pub async fn unstored_shards(&self) -> Result<Vec<Shard>, sqlx::Error> {
        probe::write(&self.pool, self.clock.now()).await?;
        Ok(self
            .handles
            .iter()
            .filter(|handle| handle.unstored.is_recent())
            .map(|handle| handle.shard)
            .collect())
    }

    /// The shards whose commands have waited so long without any being answered.
    #[must_use]
    pub fn stuck_shards(&self, at_least: Duration) -> Vec<Shard> {
        let is_stuck = |handle: &&ShardHandle| handle.waiting.stuck_for() >= at_least;
        self.handles.iter().filter(is_stuck).map(|handle| handle.shard).collect()
    }

    /// For how long commands have waited without any of their shard being answered.
    #[must_use]
    pub fn stuck_for(&self) -> Duration {
        self.handles.iter().map(|handle| handle.waiting.stuck_for()).max().unwrap_or_default()
    }

    /// How many commands wait to be decided.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.handles.iter().map(ShardHandle::queued).sum()
    }
}
