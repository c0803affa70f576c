//! How do many commands become few commits, and each account stay in order?
//!
//! One lane a shard and instance. It decides commands in memory, one after the other, on what it knows of the
//! accounts; while one batch is being stored, the next one forms. Nobody is answered before the batch that
//! their command is in, or was decided on, is stored; a refusal stores nothing, so it is compared with the journal
//! before it is told: another instance may have been at the account, or the key may be taken. If a batch cannot be
//! stored as it was decided, all that was decided on it is dropped, and `resolve` decides again under the journal's
//! lock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    clock::Clock,
    domain::{catalog::Catalog, ids::AccountId, recorded::Position},
    journal::{
        append::AppendError,
        load::{self, LoadError, LoadedAccount},
        snapshot::SNAPSHOT_EVENTS,
    },
};

use super::{
    COMMANDS_HELD_MAX,
    batch::{Decided, PendingBatch, has_any_of},
    decider::{Decider, NoDecision},
    idempotency_cache::Recent,
    pending_append::{self, AppendRequest, AppendResult, PendingAppend},
    request::{AccountUnique, ExecuteError, Job},
    unstored::Unstored,
};

/// The most events in one batch. More wait for the next one.
pub(super) const BATCH_EVENTS_MAX: usize = 4_096;
/// The most commands that are taken from the queue at once.
const INCOMING_MAX: usize = 1_024;
/// The most accounts that are kept in memory.
const ACCOUNTS_MAX: usize = 200_000;
/// The most accounts that one load asks for.
const LOAD_ACCOUNTS_MAX: usize = 1_024;
/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most loads at a time.
const LOADS_MAX: usize = 2;

pub(super) struct Writer {
    pub(super) shard: i16,
    pub(super) pool: PgPool,
    pub(super) catalog: Arc<Catalog>,
    pub(super) clock: Clock,
    pub(super) incoming: mpsc::Receiver<Job>,
    pub(super) positions: watch::Sender<Position>,
    /// Accounts that have enough new events for a new snapshot.
    pub(super) snapshots: mpsc::Sender<AccountId>,
    pub(super) unstored: Arc<Unstored>,
    pub(super) state: WriterState,
}

/// What the lane remembers between two batches.
pub(super) struct WriterState {
    /// The last position that this lane knows of. Another writer may be further.
    pub(super) head: Position,
    /// The position of the last event that was decided, stored or not.
    pub(super) decided: Position,
    pub(super) accounts: FxHashMap<AccountId, LoadedAccount>,
    pub(super) open: PendingBatch,
    pub(super) recent: Recent,
    pub(super) connection: Option<PgConnection>,
    /// Since when nothing could be stored.
    pub(super) away_since: Option<Instant>,
    /// Keys and generations of the batch that is on its way into the journal.
    flying: FxHashSet<AccountUnique>,
    /// Commands with the key or the generation of one that is on its way.
    repeats: Vec<Job>,
    /// Commands on accounts that are being loaded.
    parked: FxHashMap<AccountId, Vec<Job>>,
    /// How many of them there are.
    parked_jobs: usize,
    wanted: Vec<AccountId>,
    loads: JoinSet<Loaded>,
}

impl WriterState {
    pub(super) fn new(head: Position, clock: &Clock) -> Self {
        Self {
            head,
            decided: head,
            accounts: FxHashMap::default(),
            open: PendingBatch::new(clock.now()),
            recent: Recent::default(),
            connection: None,
            away_since: None,
            flying: FxHashSet::default(),
            repeats: Vec::new(),
            parked: FxHashMap::default(),
            parked_jobs: 0,
            wanted: Vec::new(),
            loads: JoinSet::new(),
        }
    }
}

/// What a load asked for, and what came of it.
type Loaded = (Vec<AccountId>, Result<Vec<LoadedAccount>, LoadError>);

impl Writer {
    /// Works until nobody can send commands any more, and all that were sent are answered.
    pub(super) async fn run(mut self) {
        let mut arrived = Vec::with_capacity(INCOMING_MAX);
        let mut pending: Option<PendingAppend> = None;
        let mut closed = false;
        loop {
            let flying = pending.as_ref().map_or(0, |pending| pending.batch.decided.len());
            let room = self.has_room(flying);
            tokio::select! {
                biased;
                landed = pending_append::completed(&mut pending), if pending.is_some() => {
                    let decided = self.landed(&mut pending, landed).await;
                    // The database works on the next batch while this one is answered.
                    pending = self.submit().await;
                    self.answer(decided);
                    self.retake_repeats();
                }
                Some(loaded) = self.state.loads.join_next(), if !self.state.loads.is_empty() => {
                    self.loaded(loaded);
                }
                count = self.incoming.recv_many(&mut arrived, INCOMING_MAX), if room && !closed => {
                    closed = count == 0;
                    arrived.drain(..).for_each(|job| self.take(job));
                }
                else => break,
            }
            if pending.is_none() {
                pending = self.submit().await;
            }
            self.start_loads();
            let idle = pending.is_none() && self.state.loads.is_empty() && self.state.parked.is_empty();
            if closed && idle && self.state.open.is_empty() && self.state.repeats.is_empty() {
                break;
            }
        }
    }

    /// Whether commands may be taken from the queue, beside those on their way into the journal.
    fn has_room(&self, flying: usize) -> bool {
        let WriterState { open, repeats, parked_jobs, .. } = &self.state;
        let held = open.decided.len().saturating_add(repeats.len()).saturating_add(*parked_jobs);
        let most = held.saturating_add(flying).saturating_add(INCOMING_MAX);
        open.rows.len() < BATCH_EVENTS_MAX && most <= COMMANDS_HELD_MAX
    }

    /// Decides one command, or lets it wait for what it needs.
    pub(super) fn take(&mut self, job: Job) {
        if let Some(answer) = self.state.recent.find(&job) {
            job.answer(answer);
            return;
        }
        let id = &job.request.account;
        let Some(known) = self.state.accounts.get_mut(id) else {
            self.park(job);
            return;
        };
        if self.state.open.has_any_of(&job) || has_any_of(&self.state.flying, &job) {
            self.state.repeats.push(job);
            return;
        }
        let open = &mut self.state.open;
        if open.is_empty() {
            open.recorded_at = self.clock.now();
        }
        let before = &mut open.before;
        let touched = |known: &LoadedAccount| {
            if !before.contains_key(&known.id) {
                before.insert(known.id.clone(), known.clone());
            }
        };
        let mut desk = Decider {
            shard: self.shard,
            catalog: &self.catalog,
            recorded_at: open.recorded_at,
            last: &mut self.state.decided,
        };
        match desk.take(&job, known, touched) {
            Ok(decision) => open.push(job, decision),
            Err(NoDecision::Refused(refusal)) => open.push_refusal(job, refusal),
            Err(NoDecision::Damaged) => {
                tracing::error!(account = %job.request.account, "a decision cannot be applied to its account");
                let id = job.request.account.clone();
                // What this account was before the batch is in `before`, if the batch touched it.
                if let Some(known) = self.state.open.before.get(&id).cloned() {
                    self.state.accounts.insert(id, known);
                }
                job.answer(Err(ExecuteError::Damaged));
            }
        }
    }

    fn park(&mut self, job: Job) {
        let id = job.request.account.clone();
        let jobs = self.state.parked.entry(id.clone()).or_default();
        if jobs.is_empty() {
            self.state.wanted.push(id);
        }
        jobs.push(job);
        self.state.parked_jobs = self.state.parked_jobs.saturating_add(1);
    }

    fn unpark(&mut self, id: &AccountId) -> Vec<Job> {
        let jobs = self.state.parked.remove(id).unwrap_or_default();
        self.state.parked_jobs = self.state.parked_jobs.saturating_sub(jobs.len());
        jobs
    }

    fn start_loads(&mut self) {
        while self.state.loads.len() < LOADS_MAX && !self.state.wanted.is_empty() {
            let count = self.state.wanted.len().min(LOAD_ACCOUNTS_MAX);
            let ids: Vec<AccountId> = self.state.wanted.drain(..count).collect();
            self.spawn_load(ids);
        }
    }

    fn spawn_load(&mut self, ids: Vec<AccountId>) {
        let (pool, shard) = (self.pool.clone(), self.shard);
        self.state.loads.spawn(async move {
            let loaded = async {
                let mut connection = pool.acquire().await?;
                load::load(&mut connection, shard, &ids).await
            };
            let loaded = loaded.await;
            (ids, loaded)
        });
    }

    fn loaded(&mut self, loaded: Result<Loaded, tokio::task::JoinError>) {
        match loaded {
            Ok((_, Ok(known))) => {
                self.make_room();
                for known in known {
                    let jobs = self.unpark(&known.id);
                    self.state.accounts.entry(known.id.clone()).or_insert(known);
                    jobs.into_iter().for_each(|job| self.take(job));
                }
            }
            // One damaged account must not keep the others from being loaded.
            Ok((ids, Err(LoadError::Row(_) | LoadError::Corrupt { .. }))) if ids.len() > 1 => {
                ids.into_iter().for_each(|id| self.spawn_load(vec![id]));
            }
            Ok((ids, Err(error))) => {
                tracing::error!(error = &error as &dyn std::error::Error, "accounts cannot be loaded");
                let answer = match error {
                    LoadError::Database(_) => ExecuteError::Unavailable,
                    LoadError::Row(_) | LoadError::Corrupt { .. } => ExecuteError::Damaged,
                };
                self.give_up(&ids, &answer);
            }
            Err(_) => {
                let ids: Vec<AccountId> = self.state.parked.keys().cloned().collect();
                self.give_up(&ids, &ExecuteError::Unavailable);
            }
        }
    }

    fn give_up(&mut self, ids: &[AccountId], answer: &ExecuteError) {
        for id in ids {
            self.unpark(id).into_iter().for_each(|job| job.answer(Err(answer.clone())));
        }
    }

    /// Forgets accounts when there are too many, none that a batch is about.
    fn make_room(&mut self) {
        if self.state.accounts.len() >= ACCOUNTS_MAX && self.state.open.is_empty() {
            self.state.accounts.clear();
        }
    }

    /// Sends the open batch on its way, unless there is none.
    async fn submit(&mut self) -> Option<PendingAppend> {
        while !self.state.open.is_empty() {
            let mut batch = self.take_open();
            let Some(connection) = self.connect().await else {
                self.restore(batch.before.drain());
                self.resolve(batch.into_jobs(), false).await;
                self.retake_repeats();
                continue;
            };
            self.state.flying = std::mem::take(&mut batch.uniques);
            let claims = batch.claims(&self.state.accounts);
            let append = AppendRequest {
                shard: self.shard,
                expected: self.state.head,
                recorded_at: batch.recorded_at,
                rows: std::mem::take(&mut batch.rows),
                claims,
            };
            return Some(PendingAppend::start(batch, append, connection).await);
        }
        None
    }

    fn take_open(&mut self) -> PendingBatch {
        std::mem::replace(&mut self.state.open, PendingBatch::new(self.clock.now()))
    }

    /// The connection that appends, opened again if it broke.
    pub(super) async fn connect(&mut self) -> Option<PgConnection> {
        if let Some(connection) = self.state.connection.take() {
            return Some(connection);
        }
        let options = self.pool.connect_options();
        let connecting = PgConnection::connect_with(&options);
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.ok()?.ok()
    }

    /// What is stored now, and can be answered.
    async fn landed(&mut self, pending: &mut Option<PendingAppend>, landed: AppendResult) -> Vec<Decided> {
        let Some(PendingAppend { mut batch, .. }) = pending.take() else {
            return Vec::new();
        };
        self.state.flying.clear();
        let AppendResult { connection, appended, outdated } = landed;
        self.state.connection = connection;
        match appended {
            Ok(position) => {
                self.works();
                self.advance(position);
                self.ask_for_snapshots(&batch);
                if outdated.is_empty() {
                    return batch.decided;
                }
                let (again, decided) = batch.split(&outdated);
                self.answer(decided);
                self.decide_again(again, FxHashMap::default(), false).await;
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a batch is decided again");
                let before = std::mem::take(&mut batch.before);
                let may_be_stored = matches!(error, AppendError::Unknown(_));
                self.decide_again(batch.into_jobs(), before, may_be_stored).await;
            }
        }
        Vec::new()
    }

    /// Something was stored.
    pub(super) fn works(&mut self) {
        if self.state.away_since.take().is_some() {
            self.unstored.clear();
        }
    }

    fn advance(&mut self, position: Position) {
        self.state.head = position;
        self.positions.send_if_modified(|known| std::mem::replace(known, position) != position);
    }

    /// Decides jobs again that rest on what is not so, after going back to what the accounts were `before`.
    async fn decide_again(
        &mut self,
        jobs: Vec<Job>,
        before: FxHashMap<AccountId, LoadedAccount>,
        may_be_stored: bool,
    ) {
        metrics::counter!("counterfoil_batches_decided_again_total").increment(1);
        let mut later = self.take_open();
        // What the later batch was decided on is gone too; the earlier state is restored last.
        self.restore(later.before.drain());
        self.restore(before.into_iter());
        self.resolve(jobs, may_be_stored).await;
        later.into_jobs().into_iter().for_each(|job| self.take(job));
    }

    pub(super) fn restore(&mut self, before: impl Iterator<Item = (AccountId, LoadedAccount)>) {
        self.state.accounts.extend(before);
    }

    fn answer(&mut self, decided: Vec<Decided>) {
        let head = self.state.head;
        let recent = &mut self.state.recent;
        for decided in decided {
            decided.answer(head, |job, events| recent.insert(job, events));
        }
    }

    fn retake_repeats(&mut self) {
        for job in std::mem::take(&mut self.state.repeats) {
            self.take(job);
        }
    }

    fn ask_for_snapshots(&self, batch: &PendingBatch) {
        for before in batch.before.values() {
            let now = self.state.accounts.get(&before.id).map_or(0, LoadedAccount::sequence);
            if now / SNAPSHOT_EVENTS > before.sequence() / SNAPSHOT_EVENTS {
                // A snapshot is only a shortcut: when the queue is full, the next hundred events ask again.
                let _full = self.snapshots.try_send(before.id.clone());
            }
        }
    }
}
