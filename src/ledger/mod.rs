//! How is an account changed? Only by sending a command here.

mod deductions;
mod newest;
mod pending_append;
mod pending_commands;
mod recover;
mod request;
mod sequencer;
mod shard;
// A test of the sequencer with a journal in memory. It uses items that are private to this part.
#[cfg(test)]
#[path = "../../tests/unit/ledger/simulation/mod.rs"]
mod simulation;
mod unstored;
mod view;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
};

pub use crate::domain::recorded::Origin;
pub use request::{ExecuteError, ExecuteResult, IdempotencyKey, Outcome, Provenance, Repeated, Request};
pub use sequencer::OfflineDecisions;
pub use view::{View, ViewError};

use crate::{
    clock::Clock,
    domain::{
        catalog::Catalog,
        ids::AccountId,
        recorded::{JournalPosition, Position, RecordedEvent, Shard},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::{append, feed::Feed, find, probe, range, row::RowError, snapshot},
};

use newest::Newest;
use pending_commands::PendingCommands;
use request::PendingReply;
use sequencer::Sequencer;
use shard::ShardTask;
use unstored::Unstored;
use view::Views;

/// How many commands may wait. More are refused at once, so that the wait is bounded.
pub const COMMANDS_QUEUED_MAX: usize = 8_192;
/// How many commands may be in progress: decided and not stored, or waiting for their account to be loaded.
/// More wait in the queue.
pub const COMMANDS_HELD_MAX: usize = 16_384;
/// How long a caller waits for an outcome before the answer is that it is not known yet.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How many snapshots may wait to be stored.
const SNAPSHOTS_QUEUED_MAX: usize = 1_024;
/// How many look-ups of earlier deductions run at the same time, so that batches of refunds do not delay other reads.
const LOOKUPS_MAX: usize = 4;

/// Changes accounts, and reads their exact state. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    shard: Shard,
    commands: mpsc::Sender<Request<PendingReply>>,
    clock: Clock,
    catalog: Arc<Catalog>,
    pool: PgPool,
    views: Arc<Views>,
    positions: watch::Receiver<Position>,
    lookups: Arc<Semaphore>,
    newest: Arc<Newest>,
    unstored: Arc<Unstored>,
    waiting: PendingCommands,
}

/// The tasks of a [`Ledger`]. They end when every clone of the ledger is dropped and everything is answered.
pub struct Running {
    shard: JoinHandle<()>,
    snapshots: JoinHandle<()>,
}

impl Running {
    /// Waits until everything that was accepted is answered.
    pub async fn finished(self) {
        // A panic in a task was reported when it happened, and there is nothing left to wait for.
        let _ended = tokio::join!(self.shard, self.snapshots);
    }
}

impl Ledger {
    /// Starts a ledger on a migrated database.
    ///
    /// # Errors
    /// If the database does not answer, or does not have exactly one shard.
    pub async fn start(
        pool: PgPool,
        catalog: Arc<Catalog>,
        clock: Clock,
    ) -> Result<(Self, Running), sqlx::Error> {
        let feed = Feed::new(pool.clone());
        Self::start_with_feed(pool, catalog, clock, feed).await
    }

    /// The same, with a feed whose readers are given in memory what the ledger appends.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with_feed(
        pool: PgPool,
        catalog: Arc<Catalog>,
        clock: Clock,
        feed: Feed,
    ) -> Result<(Self, Running), sqlx::Error> {
        let mut connection = pool.acquire().await?;
        let shard = append::only_shard(&mut connection).await?;
        let head = append::head(&mut connection, shard).await?;
        drop(connection);
        let newest = Newest::new(range::newest(&pool, shard, head).await?);
        newest.behind_s(clock.now());
        let (commands, incoming) = mpsc::channel(COMMANDS_QUEUED_MAX);
        let (positions, seen) = watch::channel(head);
        let (snapshots, wanted) = mpsc::channel(SNAPSHOTS_QUEUED_MAX);
        let unstored = Arc::new(Unstored::default());
        let task = ShardTask {
            shard,
            sequencer: Sequencer::new(shard, Arc::clone(&catalog), shard::LIMITS, head),
            feed,
            pool: pool.clone(),
            clock: clock.clone(),
            incoming,
            positions,
            snapshots,
            unstored: Arc::clone(&unstored),
            connection: None,
            away_since: None,
        };
        let views = Arc::new(Views::new(pool.clone(), shard));
        let running = Running {
            shard: tokio::spawn(task.run()),
            snapshots: tokio::spawn(take_snapshots(pool.clone(), shard, Arc::clone(&views), wanted)),
        };
        let (newest, lookups) = (Arc::new(newest), Arc::new(Semaphore::new(LOOKUPS_MAX)));
        let positions = seen;
        let ledger = Self {
            shard,
            commands,
            clock,
            catalog,
            pool,
            views,
            positions,
            lookups,
            newest,
            unstored,
            waiting: PendingCommands::default(),
        };
        Ok((ledger, running))
    }

    /// Executes a command: exactly once for its key, and durably before this returns.
    ///
    /// # Errors
    /// If the command is refused or cannot be executed now: see [`ExecuteError`].
    pub async fn execute(&self, request: Request) -> ExecuteResult {
        let (reply, answer) = oneshot::channel();
        let place = self.waiting.enter();
        let reply_to = PendingReply { accepted_at: self.clock.now(), reply, place };
        self.commands.try_send(request.with_reply_to(reply_to)).map_err(|full| match full {
            mpsc::error::TrySendError::Full(_) => ExecuteError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ExecuteError::Unavailable,
        })?;
        match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(answer)) => self.checked_by_the_clock(answer).await,
            // The shard's task ended while it had the command.
            Ok(Err(_)) | Err(_) => Err(ExecuteError::OutcomeUnknown),
        }
    }

    /// A refusal may be wrong if this machine's clock is behind; then the answer is [`ExecuteError::ClockBehind`].
    async fn checked_by_the_clock(&self, answer: ExecuteResult) -> ExecuteResult {
        let now = self.clock.now();
        match &answer {
            Ok(outcome) => {
                if let Some(last) = outcome.events.last() {
                    self.newest.note(last.recorded_at);
                }
                self.newest.behind_s(now);
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
        if let Some(newest) = range::newest(&self.pool, self.shard, self.head().await?.position).await? {
            self.newest.replace(newest);
        }
        Ok(self.newest.behind_s(self.clock.now()))
    }

    /// The state of an account, including all that any instance has acknowledged.
    ///
    /// # Errors
    /// If the database does not answer, or the account's history is damaged.
    pub async fn view(&self, account: &AccountId) -> Result<View, ViewError> {
        self.views.current(account).await
    }

    /// The earlier request with the same key, if there was one.
    ///
    /// # Errors
    /// If the database does not answer, or an event cannot be read.
    pub async fn find_repeated(&self, request: &Request) -> Result<Option<Repeated>, RowError> {
        let uniques: Vec<_> = request.uniques().collect();
        let mut connection = self.pool.acquire().await?;
        let found = find::by_uniques(&mut connection, self.shard, &uniques).await?;
        let earlier = found.into_values().flatten().next();
        Ok(earlier.map(|earlier| {
            if earlier.metadata.request_hash == request.hash { Repeated::Same } else { Repeated::Another }
        }))
    }

    /// The shard of an account.
    #[must_use]
    pub const fn shard_of(&self, _account: &AccountId) -> Shard {
        self.shard
    }

    /// The shard that this ledger writes to.
    #[must_use]
    pub const fn shard(&self) -> Shard {
        self.shard
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
        find::by_sequence(&self.pool, self.shard, account, sequence).await
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
        find::stream(&self.pool, self.shard, account, after, limit).await
    }

    /// The events of these types after a position, up to another one.
    /// An event that cannot be read does not stop the others.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn events_of(
        &self,
        types: &[&str],
        after: Position,
        until: Position,
    ) -> Result<Vec<Result<RecordedEvent, RowError>>, sqlx::Error> {
        range::of_types(&self.pool, self.shard, types, after, until).await
    }

    /// The position before the first event that was recorded at `at` or later.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn position_before(&self, at: Timestamp) -> Result<Position, sqlx::Error> {
        range::before(&self.pool, self.shard, at, self.head().await?.position).await
    }

    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub const fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The newest position that this instance has stored or seen.
    #[must_use]
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.positions.clone()
    }

    /// The end of the journal when this instance last read it.
    #[must_use]
    pub fn known_head(&self) -> JournalPosition {
        JournalPosition::new(self.shard, *self.positions.borrow())
    }

    /// The end of the journal now, whichever instance wrote there.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn head(&self) -> Result<JournalPosition, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let position = append::head(&mut connection, self.shard).await?;
        Ok(JournalPosition::new(self.shard, position))
    }

    /// Whether the database accepts writes.
    ///
    /// # Errors
    /// If it does not answer, or refuses the write.
    pub async fn can_store(&self) -> Result<bool, sqlx::Error> {
        probe::write(&self.pool, self.clock.now()).await?;
        Ok(!self.unstored.is_recent())
    }

    /// For how long commands have waited without any being answered.
    #[must_use]
    pub fn stuck_for(&self) -> Duration {
        self.waiting.stuck_for()
    }

    /// How many commands wait to be decided.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.commands.max_capacity().saturating_sub(self.commands.capacity())
    }
}

async fn take_snapshots(
    pool: PgPool,
    shard: Shard,
    views: Arc<Views>,
    mut wanted: mpsc::Receiver<AccountId>,
) {
    while let Some(account) = wanted.recv().await {
        let kept = match views.known(&account).await {
            Ok(known) => snapshot::keep(&pool, shard, &known).await.map_err(ViewError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(error = &error as &dyn std::error::Error, %account, "no snapshot was taken");
        }
    }
}
