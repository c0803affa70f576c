//! How is an account changed? By sending a command here, and in no other way.

mod deductions;
mod newest;
mod pending_append;
mod pending_commands;
mod recover;
mod request;
mod sequencer;
mod shard;
// A test of the sequencer with a journal in memory: it needs what only this part of the program sees.
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
    journal::{append, find, probe, range, row::RowError, snapshot},
};

use newest::Newest;
use pending_commands::PendingCommands;
use request::PendingReply;
use sequencer::Sequencer;
use shard::ShardTask;
use unstored::Unstored;
use view::Views;

/// How many commands may wait. More are refused at once, so that waiting never grows without end.
pub const COMMANDS_QUEUED_MAX: usize = 8_192;
/// How many commands may be in hand: decided and not stored, or waiting for their account to be read. While there
/// are as many, the others wait in the queue.
pub const COMMANDS_HELD_MAX: usize = 16_384;
/// How long a caller waits for an outcome before it is told that it is not known yet.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How many snapshots may wait to be taken.
const SNAPSHOTS_QUEUED_MAX: usize = 1_024;
/// How many look-ups of earlier deductions are at the database at once: who reads waits for no batch of refunds.
const LOOKUPS_MAX: usize = 4;

/// The way to change accounts, and to see exactly what they are. Cheap to clone.
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

/// The work behind a [`Ledger`]. It ends when every clone of the ledger is gone and all is answered.
pub struct Running {
    shard: JoinHandle<()>,
    snapshots: JoinHandle<()>,
}

impl Running {
    /// Waits until everything that was accepted is answered.
    pub async fn finished(self) {
        // A panic in there was reported when it happened; there is nothing left to wait for.
        let _ended = tokio::join!(self.shard, self.snapshots);
    }
}

impl Ledger {
    /// Starts a ledger on a database that is migrated.
    ///
    /// # Errors
    /// When the database does not answer, or has not exactly one shard.
    pub async fn start(
        pool: PgPool,
        catalog: Arc<Catalog>,
        clock: Clock,
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

    /// Executes a command: exactly once for its key, durably before this returns.
    ///
    /// # Errors
    /// When the command is refused, or cannot be taken now; see [`ExecuteError`].
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
            // The shard's task ended with the command in hand.
            Ok(Err(_)) | Err(_) => Err(ExecuteError::OutcomeUnknown),
        }
    }

    /// What a clock that is behind refuses may be allowed, so it is not told as a refusal.
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

    /// By how many seconds the clock is behind, where that may be why something is refused. `None`: it is refused by
    /// what the account is.
    pub async fn refused_by_the_clock_s(&self, refusal: &Refusal) -> Option<i64> {
        let now = self.clock.now();
        if !newest::may_be_the_clocks(refusal) || self.newest.behind_s(now).is_none() {
            return None;
        }
        // The clock that was wrong may have been another one's, whose events are history by now.
        self.clock_behind_s().await.unwrap_or_else(|_| self.newest.behind_s(now))
    }

    /// By how many seconds the clock is behind the last events, whichever instance wrote them. `None`: it may be right.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn clock_behind_s(&self) -> Result<Option<i64>, sqlx::Error> {
        if let Some(newest) = range::newest(&self.pool, self.shard, self.head().await?.position).await? {
            self.newest.replace(newest);
        }
        Ok(self.newest.behind_s(self.clock.now()))
    }

    /// What an account is now, everything included that any instance has acknowledged.
    ///
    /// # Errors
    /// When the database does not answer or the account's history is damaged.
    pub async fn view(&self, account: &AccountId) -> Result<View, ViewError> {
        self.views.current(account).await
    }

    /// What an earlier request with this one's key was, if there was one.
    ///
    /// # Errors
    /// When the database does not answer or an event cannot be read.
    pub async fn find_repeated(&self, request: &Request) -> Result<Option<Repeated>, RowError> {
        let uniques: Vec<_> = request.uniques().collect();
        let mut connection = self.pool.acquire().await?;
        let found = find::by_uniques(&mut connection, self.shard, &uniques).await?;
        let earlier = found.into_values().flatten().next();
        Ok(earlier.map(|earlier| {
            if earlier.metadata.request_hash == request.hash { Repeated::Same } else { Repeated::Another }
        }))
    }

    /// The shard that an account is on.
    #[must_use]
    pub const fn shard_of(&self, _account: &AccountId) -> Shard {
        self.shard
    }

    /// The shard that this ledger writes.
    #[must_use]
    pub const fn shard(&self) -> Shard {
        self.shard
    }

    /// One event of an account by its number.
    ///
    /// # Errors
    /// When the database does not answer or the event cannot be read.
    pub async fn find_event(
        &self,
        account: &AccountId,
        sequence: i64,
    ) -> Result<Option<RecordedEvent>, RowError> {
        find::by_sequence(&self.pool, self.shard, account, sequence).await
    }

    /// The events of an account after a number, at most `limit` of them.
    ///
    /// # Errors
    /// When the database does not answer or an event cannot be read.
    pub async fn stream(
        &self,
        account: &AccountId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, RowError> {
        find::stream(&self.pool, self.shard, account, after, limit).await
    }

    /// The events of these types after a position, up to another one. One that cannot be read keeps none of the others
    /// from being read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn events_of(
        &self,
        types: &[&str],
        after: Position,
        until: Position,
    ) -> Result<Vec<Result<RecordedEvent, RowError>>, sqlx::Error> {
        range::of_types(&self.pool, self.shard, types, after, until).await
    }

    /// The position before the first event that was recorded since a time.
    ///
    /// # Errors
    /// When the database does not answer.
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

    /// The last position that this instance has stored or seen.
    #[must_use]
    pub fn positions(&self) -> watch::Receiver<Position> {
        self.positions.clone()
    }

    /// Where the journal ended when this instance last looked.
    #[must_use]
    pub fn known_head(&self) -> JournalPosition {
        JournalPosition::new(self.shard, *self.positions.borrow())
    }

    /// Where the journal ends now, whichever instance wrote there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn head(&self) -> Result<JournalPosition, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let position = append::head(&mut connection, self.shard).await?;
        Ok(JournalPosition::new(self.shard, position))
    }

    /// Whether the database takes what is written to it.
    ///
    /// # Errors
    /// When it does not answer, or says no.
    pub async fn can_store(&self) -> Result<bool, sqlx::Error> {
        probe::write(&self.pool, self.clock.now()).await?;
        Ok(!self.unstored.is_recent())
    }

    /// For how long commands have been waiting of which none was answered.
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
