//! How do the shards of one database share a commit?
//!
//! A commit costs the same whatever is in it, and the batches of eight shards are an eighth as large.
//! So one statement appends what several shards have to store, each with its own head and its own block.
//!
//! A shard shares only while nothing is wrong with it.
//! If a statement fails, nothing of it is stored, and each shard appends its batch by itself on its own connection:
//! one whose head is locked, or in which somebody else wrote, does not hold up the others.

use std::{panic::AssertUnwindSafe, task::Poll, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use sqlx::{PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use crate::{
    domain::recorded::Position,
    journal::append::{self, AppendError, NewBlock},
};

use super::{
    sequencer::{AppendRequest, Appended},
    store_batch::{measured, open_connection},
};

/// How many commits run at the same time.
const COMMITS_MAX: usize = 4;
/// How many events are worth a commit of their own, while another one runs.
const EVENTS_WORTH_A_COMMIT: usize = 1_024;
/// How many shards share a statement. The protocol has room for 65,535 parameters.
const BLOCKS_MAX: usize = 64;
/// How long the shards of a statement wait for a head that another one has locked.
const LOCK_WAIT_MAX_MS: u64 = 250;
/// How long it is waited for what the shards have next that were just answered.
const NEXT_WAIT_MAX: Duration = Duration::from_millis(2);

/// The way to the task that commits for several shards. Each shard has one.
pub(super) struct GroupCommit {
    messages: mpsc::UnboundedSender<ShardMessage>,
    /// Whether the shard says what it has next once its batch is stored.
    is_awaited: bool,
}

/// What a shard says to the task that commits.
struct ShardMessage {
    /// `None`: it has no batch for now.
    batch: Option<WaitingBatch>,
    /// Whether it is the first message since its last batch was stored.
    is_next: bool,
}

/// What became of a batch that was to share a commit.
pub(super) enum SharedAppend {
    Done(Result<Appended, AppendError>),
    /// Nothing of it is stored. The shard has to append it by itself.
    NotShared(Box<AppendRequest>),
}

struct WaitingBatch {
    request: AppendRequest,
    reply: oneshot::Sender<SharedAppend>,
}

impl WaitingBatch {
    fn answer(self, answer: Result<Appended, AppendError>) {
        // A shard waits for its batch until it has the result.
        let _gone = self.reply.send(SharedAppend::Done(answer));
    }

    fn hand_back(self) {
        let _gone = self.reply.send(SharedAppend::NotShared(Box::new(self.request)));
    }
}

impl GroupCommit {
    /// What commits ends when there are no more shards and all is answered.
    pub(super) fn new(pool: &PgPool) -> (Self, BoxFuture<'static, ()>) {
        let lock_wait = [("lock_timeout", LOCK_WAIT_MAX_MS)];
        let options = pool.connect_options().as_ref().clone().options(lock_wait);
        // A shard has at most one batch here, and says once what is next.
        let (messages, incoming) = mpsc::unbounded_channel();
        let task = CommitTask { options, waiting: Vec::new(), owed: 0, connections: Vec::new() };
        (Self { messages, is_awaited: false }, Box::pin(task.run(incoming)))
    }

    /// That of another shard.
    pub(super) fn of_another(&self) -> Self {
        Self { messages: self.messages.clone(), is_awaited: false }
    }

    /// Begins to store a batch together with those of other shards.
    pub(super) fn store(&mut self, request: AppendRequest) -> oneshot::Receiver<SharedAppend> {
        let (reply, shared) = oneshot::channel();
        let is_next = std::mem::replace(&mut self.is_awaited, true);
        let batch = Some(WaitingBatch { request, reply });
        if let Err(mpsc::error::SendError(unsent)) = self.messages.send(ShardMessage { batch, is_next }) {
            unsent.batch.into_iter().for_each(WaitingBatch::hand_back);
        }
        shared
    }

    /// The shard has the result of its last batch here, and no other one for now.
    pub(super) fn nothing_next(&mut self) {
        if std::mem::take(&mut self.is_awaited) {
            let _gone = self.messages.send(ShardMessage { batch: None, is_next: true });
        }
    }
}

/// Runs shards and what commits for them in one task.
///
/// They wait for each other anyway. In tasks of their own, each is woken for nearly every command, and what commits is
/// woken behind all callers that were answered meanwhile.
pub(super) fn spawn_together(parts: Vec<BoxFuture<'static, ()>>) -> JoinHandle<()> {
    let mut parts: FuturesUnordered<_> =
        parts.into_iter().map(|part| AssertUnwindSafe(part).catch_unwind()).collect();
    tokio::spawn(async move {
        while let Some(ended) = parts.next().await {
            if ended.is_err() {
                tracing::error!("a shard panicked, and stores nothing any more; the others go on");
            }
        }
    })
}

struct CommitTask {
    options: PgConnectOptions,
    waiting: Vec<WaitingBatch>,
    /// How many of the shards whose batches are being stored, or were last, have not said yet what they have next.
    owed: usize,
    /// Those that are not in use.
    connections: Vec<PgConnection>,
}

impl CommitTask {
    async fn run(mut self, mut incoming: mpsc::UnboundedReceiver<ShardMessage>) {
        let mut running: JoinSet<Option<PgConnection>> = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(stored) = running.join_next(), if !running.is_empty() => {
                    self.connections.extend(stored.ok().flatten());
                }
                message = incoming.recv() => match message {
                    Some(message) => self.take(message),
                    None => break,
                },
                // A shard that recovers says nothing for a while.
                () = tokio::time::sleep(NEXT_WAIT_MAX), if running.is_empty() && self.owed > 0 => self.owed = 0,
            }
            while let Ok(message) = incoming.try_recv() {
                self.take(message);
            }
            while self.is_worth_a_commit(running.len()) {
                self.begin(&mut running).await;
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn take(&mut self, message: ShardMessage) {
        self.waiting.extend(message.batch);
        if message.is_next {
            self.owed = self.owed.saturating_sub(1);
        }
    }

    /// Whether to begin a statement beside so many others: for what there is once nothing more is expected, and else
    /// for much.
    fn is_worth_a_commit(&self, running: usize) -> bool {
        let events: usize = self.waiting.iter().map(|batch| batch.request.rows.len()).sum();
        let is_much = running < COMMITS_MAX && events >= EVENTS_WORTH_A_COMMIT;
        !self.waiting.is_empty() && (is_much || running == 0 && self.owed == 0)
    }

    async fn begin(&mut self, running: &mut JoinSet<Option<PgConnection>>) {
        let rest = self.waiting.split_off(self.waiting.len().min(BLOCKS_MAX));
        let batches = std::mem::replace(&mut self.waiting, rest);
        self.owed = self.owed.saturating_add(batches.len());
        let mut storing = Box::pin(store(self.options.clone(), self.connections.pop(), batches));
        // In a new task, the statement would have to wait behind all callers that are about to be answered.
        match futures::poll!(&mut storing) {
            Poll::Ready(connection) => self.connections.extend(connection),
            Poll::Pending => _ = running.spawn(storing),
        }
    }
}

/// Stores batches of different shards, and returns the connection if it can be used again.
async fn store(
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    mut batches: Vec<WaitingBatch>,
) -> Option<PgConnection> {
    let opened = match connection {
        Some(connection) => Some(connection),
        None => open_connection(&options).await,
    };
    let Some(mut connection) = opened else {
        batches.into_iter().for_each(WaitingBatch::hand_back);
        return None;
    };
    batches.sort_by_key(|batch| batch.request.shard);
    match append(&mut connection, &batches).await {
        Ok(positions) => answer_stored(connection, batches, positions).await,
        Err(AppendError::Unknown(error)) => {
            let text = error.to_string();
            let unknown = || AppendError::Unknown(sqlx::Error::Io(std::io::Error::other(text.clone())));
            batches.into_iter().for_each(|batch| batch.answer(Err(unknown())));
            None
        }
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "shards append by themselves");
            batches.into_iter().for_each(WaitingBatch::hand_back);
            Some(connection)
        }
    }
}

/// Appends what has events, in the order of `batches`, and returns where each shard ends then.
async fn append(
    connection: &mut PgConnection,
    batches: &[WaitingBatch],
) -> Result<Vec<Position>, AppendError> {
    let requests = batches.iter().map(|batch| &batch.request);
    let blocks: Vec<NewBlock<'_>> =
        requests.clone().filter(|request| !request.rows.is_empty()).map(AppendRequest::block).collect();
    let mut ends = measured(&blocks, append::append_all(connection, &blocks)).await?.into_iter();
    let mut end = |request: &AppendRequest| if request.rows.is_empty() { None } else { ends.next() };
    Ok(requests.map(|request| end(request).unwrap_or(request.expected)).collect())
}

/// Those whose refusals have to be checked wait for that, and the others do not.
async fn answer_stored(
    mut connection: PgConnection,
    batches: Vec<WaitingBatch>,
    ends: Vec<Position>,
) -> Option<PgConnection> {
    let stored = batches.into_iter().zip(ends);
    let (to_check, done): (Vec<_>, Vec<_>) =
        stored.partition(|(batch, _)| !batch.request.preconditions.is_empty());
    for (batch, position) in done {
        batch.answer(Ok(Appended { position, outdated: Vec::new() }));
    }
    let mut is_usable = true;
    for (batch, position) in to_check {
        let outdated = batch.request.find_outdated(&mut connection).await;
        is_usable &= outdated.is_ok();
        let outdated = outdated.unwrap_or_else(|all| all);
        batch.answer(Ok(Appended { position, outdated }));
    }
    is_usable.then_some(connection)
}
