//! What do callers need of the task that writes a shard?

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::PgPool;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    domain::{
        catalog::Catalog,
        ids::AccountId,
        recorded::{JournalPosition, Position, Shard},
    },
    journal::{feed::Feed, snapshot},
};

use super::{
    COMMANDS_HELD_MAX, COMMANDS_QUEUED_MAX,
    cached_account::CacheMemory,
    group_commit::GroupCommit,
    pending_commands::PendingCommands,
    request::{PendingReply, Request},
    sequencer::{Limits, Sequencer},
    shard::ShardTask,
    unstored::Unstored,
    view::{ViewError, ViewedAccounts, Views},
};

/// How many snapshots of a shard may wait to be stored.
const SNAPSHOTS_QUEUED_MAX: usize = 1_024;
/// How many of them are taken at once.
const SNAPSHOTS_TAKEN_MAX: usize = 64;
/// How many loads of accounts run at the same time, of all shards.
const LOADS_MAX: usize = 8;

/// The way to a shard's task.
pub(super) struct ShardHandle {
    pub(super) shard: Shard,
    pub(super) commands: mpsc::Sender<Request<PendingReply>>,
    pub(super) views: Arc<Views>,
    pub(super) positions: watch::Receiver<Position>,
    pub(super) unstored: Arc<Unstored>,
    pub(super) waiting: PendingCommands,
}

impl ShardHandle {
    /// How many commands wait to be decided.
    pub(super) fn queued(&self) -> usize {
        self.commands.max_capacity().saturating_sub(self.commands.capacity())
    }
}

/// What the limits of a process leave to each of its shards.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardLimits {
    queued: usize,
    sequencer: Limits,
}

impl ShardLimits {
    /// Each of `shards` gets its part, but always enough to work with.
    pub(super) fn of(shards: usize, memory: CacheMemory) -> Self {
        let part = |whole: usize, least: usize| whole.checked_div(shards).unwrap_or(whole).max(least);
        Self {
            queued: part(COMMANDS_QUEUED_MAX, 512),
            sequencer: Limits {
                commands: part(COMMANDS_HELD_MAX, 1_024),
                arriving: 1_024,
                batch_events: 4_096,
                accounts_bytes: memory.for_commands(shards),
                load_accounts: 1_024,
                loads: 2,
                answers: part(16_384, 1_024),
            },
        }
    }
}

/// What writes a shard, and what keeps its snapshots.
pub(super) type ShardWork = (BoxFuture<'static, ()>, JoinHandle<()>);

/// What each shard's task is made of.
pub(super) struct ShardParts {
    pub(super) pool: PgPool,
    pub(super) catalog: Arc<Catalog>,
    pub(super) clock: Clock,
    pub(super) feed: Feed,
    pub(super) limits: ShardLimits,
    pub(super) viewed: Arc<ViewedAccounts>,
    pub(super) loads: Arc<Semaphore>,
    pub(super) group: Option<GroupCommit>,
    /// How many the journal has.
    pub(super) shardings: i16,
    pub(super) grown: CancellationToken,
}

impl ShardParts {
    /// What writes a shard after its head, and the task that keeps its snapshots. Both end when the handle is dropped
    /// and all is answered.
    pub(super) fn start(&self, head: JournalPosition) -> (ShardHandle, ShardWork) {
        let Self { pool, catalog, clock, feed, limits, viewed, loads, group, shardings, grown } = self;
        let JournalPosition { shard, position } = head;
        let (commands, incoming) = mpsc::channel(limits.queued);
        let (positions, seen) = watch::channel(position);
        let (snapshots, wanted) = mpsc::channel(SNAPSHOTS_QUEUED_MAX);
        let unstored = Arc::new(Unstored::default());
        let task = ShardTask {
            shard,
            sequencer: Sequencer::new(shard, *shardings, Arc::clone(catalog), limits.sequencer, position),
            arriving: limits.sequencer.arriving,
            feed: feed.clone(),
            pool: pool.clone(),
            clock: clock.clone(),
            incoming,
            positions,
            snapshots,
            loads: Arc::clone(loads),
            unstored: Arc::clone(&unstored),
            group: group.as_ref().map(GroupCommit::of_another),
            is_alone: false,
            connection: None,
            away_since: None,
            grown: grown.clone(),
        };
        let views = Arc::new(Views::new(pool.clone(), shard, Arc::clone(viewed)));
        let keeping = take_snapshots(pool.clone(), shard, Arc::clone(&views), wanted);
        let waiting = PendingCommands::default();
        let handle = ShardHandle { shard, commands, views, positions: seen, unstored, waiting };
        (handle, (Box::pin(task.run()), tokio::spawn(keeping)))
    }
}

async fn take_snapshots(
    pool: PgPool,
    shard: Shard,
    views: Arc<Views>,
    mut wanted: mpsc::Receiver<AccountId>,
) {
    let mut accounts = Vec::new();
    while wanted.recv_many(&mut accounts, SNAPSHOTS_TAKEN_MAX).await > 0 {
        // In the order of their names and each once, so that two instances do not wait for each other's rows.
        accounts.sort_unstable();
        accounts.dedup();
        if take_some(&pool, shard, &views, accounts.clone()).await.is_ok() {
            accounts.clear();
        }
        // One that is damaged does not prevent the others.
        for account in accounts.drain(..) {
            if let Err(error) = take_some(&pool, shard, &views, vec![account.clone()]).await {
                tracing::warn!(error = &error as &dyn std::error::Error, %account, "no snapshot was taken");
            }
        }
    }
}

async fn take_some(
    pool: &PgPool,
    shard: Shard,
    views: &Views,
    accounts: Vec<AccountId>,
) -> Result<(), ViewError> {
    let known = views.known(accounts).await?;
    Ok(snapshot::keep(pool, shard, &known).await?)
}

/// Room for the loads of all shards.
pub(super) fn loads() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LOADS_MAX))
}
