//! Who does the input and output of a shard's sequencer? One task, with its queue, its connection and its loads.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures::FutureExt;
use sqlx::{PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    domain::{
        ids::AccountId,
        recorded::{Position, Shard},
    },
    journal::{
        append::AppendError,
        feed::Feed,
        load::{self, LoadError, LoadedAccount},
    },
    postgres::placement,
};

use super::{
    group_commit::GroupCommit,
    pending_append::{self, AppendResult, PendingAppend},
    request::{PendingReply, Request},
    sequencer::{Answers, AppendFailure, AppendRequest, Appended, LoadFailure, Sequencer},
    store_batch::open_connection,
    unstored::Unstored,
};

/// The longest pause under the journal's lock, in milliseconds. The database then ends the session, so that a process
/// that was frozen in it does not keep the others from writing.
const LOCKED_IDLE_MAX_MS: u64 = 3_000;

pub(super) struct ShardTask {
    pub(super) shard: Shard,
    pub(super) sequencer: Sequencer<PendingReply>,
    /// How many commands are handed over at once.
    pub(super) arriving: usize,
    /// For the readers in this process.
    pub(super) feed: Feed,
    pub(super) pool: PgPool,
    pub(super) clock: Clock,
    pub(super) incoming: mpsc::Receiver<Request<PendingReply>>,
    pub(super) positions: watch::Sender<Position>,
    /// Accounts with enough new events for a snapshot.
    pub(super) snapshots: mpsc::Sender<AccountId>,
    /// Shared by all shards, so that they leave connections to others.
    pub(super) loads: Arc<Semaphore>,
    pub(super) unstored: Arc<Unstored>,
    /// Where batches are stored together with those of other shards.
    pub(super) group: Option<GroupCommit>,
    /// Whether the last batch could not be stored with others, so that the next one is stored by itself.
    pub(super) is_alone: bool,
    /// The connection that appends by itself, unless it is in use.
    pub(super) connection: Option<PgConnection>,
    /// Since when nothing could be stored.
    pub(super) away_since: Option<Instant>,
    /// Is cancelled when it is seen that another program has grown the ledger.
    pub(super) grown: CancellationToken,
}

/// The accounts of a load, and its result.
type Loaded = (Vec<AccountId>, Result<Vec<LoadedAccount>, LoadError>);

impl ShardTask {
    /// Runs until nobody can send commands any more, and all that were sent are answered.
    pub(super) async fn run(mut self) {
        let mut arrived = Vec::with_capacity(self.arriving);
        let mut pending: Option<PendingAppend> = None;
        let mut loads: JoinSet<Loaded> = JoinSet::new();
        let mut closed = false;
        loop {
            let room = self.sequencer.has_room();
            tokio::select! {
                biased;
                result = pending_append::completed(&mut pending), if pending.is_some() => {
                    match result {
                        AppendResult::Done { connection, appended } => {
                            let answers = self.appended(connection, appended);
                            // The database works on the next batch while this one is answered.
                            pending = self.submit().await;
                            self.say_what_is_next(pending.as_ref());
                            if self.group.is_some() {
                                // What all shards have next is on its way before any of them answers.
                                tokio::task::yield_now().await;
                            }
                            self.sequencer.answer(answers, self.clock.now());
                            self.recover().await;
                        }
                        AppendResult::NotShared(request) => {
                            self.is_alone = true;
                            pending = self.start(*request).await;
                            self.say_what_is_next(pending.as_ref());
                        }
                    }
                }
                Some(loaded) = loads.join_next(), if !loads.is_empty() => self.loaded(loaded),
                count = self.incoming.recv_many(&mut arrived, self.arriving), if room && !closed => {
                    closed = count == 0;
                    let now = self.clock.now();
                    arrived.drain(..).for_each(|request| self.sequencer.accept(request, now));
                }
                else => break,
            }
            if pending.is_none() {
                pending = self.submit().await;
            }
            while let Some(ids) = self.sequencer.next_load() {
                loads.spawn(load(self.pool.clone(), Arc::clone(&self.loads), self.shard, ids));
            }
            if closed && pending.is_none() && loads.is_empty() && self.sequencer.is_idle() {
                break;
            }
        }
    }

    fn loaded(&mut self, loaded: Result<Loaded, tokio::task::JoinError>) {
        // A load always returns, and is never aborted.
        let Ok((ids, loaded)) = loaded else { return };
        let loaded = loaded.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "accounts cannot be loaded");
            match error {
                LoadError::Database(_) => LoadFailure::Unavailable,
                LoadError::Row(_) | LoadError::Corrupt { .. } => LoadFailure::Damaged,
            }
        });
        self.sequencer.loaded(ids, loaded, self.clock.now());
    }

    /// Begins to store the open batch, if there is one.
    async fn submit(&mut self) -> Option<PendingAppend> {
        while let Some(request) = self.sequencer.seal() {
            let pending = self.start(request).await;
            if pending.is_some() {
                return pending;
            }
        }
        None
    }

    /// Begins to store a batch: together with other shards if this one shares its commits and nothing is wrong with it.
    async fn start(&mut self, request: AppendRequest) -> Option<PendingAppend> {
        if let Some(group) = self.group.as_mut().filter(|_| !self.is_alone) {
            return Some(PendingAppend::Shared(group.store(request)));
        }
        if let Some(connection) = self.connect().await {
            return Some(PendingAppend::start(request, connection).await);
        }
        let answers = self.sequencer.appended(Err(AppendFailure::NotStored));
        self.sequencer.answer(answers, self.clock.now());
        self.recover().await;
        None
    }

    /// Those who share commits wait for the next batch of a shard that had one.
    fn say_what_is_next(&mut self, pending: Option<&PendingAppend>) {
        let group = self.group.as_mut().filter(|_| !matches!(pending, Some(PendingAppend::Shared(_))));
        if let Some(group) = group {
            group.nothing_next();
        }
    }

    /// The connection that appends, opened again if it was lost.
    pub(super) async fn connect(&mut self) -> Option<PgConnection> {
        if let Some(connection) = self.connection.take() {
            return Some(connection);
        }
        // A batch that is decided again is decided under the lock that every writer needs.
        let idle_max = [("idle_in_transaction_session_timeout", LOCKED_IDLE_MAX_MS)];
        let options = self.pool.connect_options().as_ref().clone().options(idle_max);
        let connection = open_connection(&options).await?;
        Some(self.on_its_node(connection, &options).await)
    }

    /// A connection to the node that has the shard, if the database is on several and it can be reached.
    async fn on_its_node(&self, mut connection: PgConnection, options: &PgConnectOptions) -> PgConnection {
        let Ok(Some(node)) = placement::node_of(&mut connection, self.shard.0).await else {
            return connection;
        };
        let options = node.options(options);
        open_connection(&options).await.unwrap_or_else(|| {
            tracing::warn!(?node, shard = self.shard.0, "a shard is written through the coordinator");
            connection
        })
    }

    fn appended(
        &mut self,
        connection: Option<PgConnection>,
        appended: Result<Appended, AppendError>,
    ) -> Answers<PendingReply> {
        self.connection = connection.or(self.connection.take());
        if appended.is_ok() {
            self.is_alone = false;
            self.stores_again();
        }
        let appended = appended.map_err(|error| {
            tracing::debug!(error = &error as &dyn std::error::Error, "a batch is decided again");
            AppendFailure::from(error)
        });
        let answers = self.sequencer.appended(appended);
        self.feed.hand_over(self.shard, answers.stored());
        if self.sequencer.is_recovering() {
            metrics::counter!("counterfoil_batches_decided_again_total").increment(1);
        }
        self.tell_position();
        for account in self.sequencer.take_due_snapshots() {
            // A snapshot is only a shortcut: if the queue is full, it is requested again after more events.
            let _full = self.snapshots.try_send(account);
        }
        answers
    }

    /// Records that the database accepts writes again.
    pub(super) fn stores_again(&mut self) {
        if self.away_since.take().is_some() {
            self.unstored.clear();
        }
    }

    pub(super) fn tell_position(&self) {
        let head = self.sequencer.head();
        self.positions.send_if_modified(|known| std::mem::replace(known, head) != head);
    }
}

async fn load(pool: PgPool, turns: Arc<Semaphore>, shard: Shard, ids: Vec<AccountId>) -> Loaded {
    let loaded = async {
        // The semaphore is never closed.
        let _turn = turns.acquire().await;
        let mut connection = pool.acquire().await?;
        load::load(&mut connection, shard, &ids).await
    };
    let loaded = AssertUnwindSafe(loaded).catch_unwind().await;
    let panicked = |_| Err(LoadError::Database(sqlx::Error::WorkerCrashed));
    let loaded = loaded.unwrap_or_else(panicked);
    (ids, loaded)
}
