//! How are many similar queries of concurrent callers sent to the database together?
//! One caller sends those of all others, so that a thousand imports need a few statements and not thousands.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The most queries in one batch.
const TOGETHER_MAX: usize = 256;
/// How many batches run at a time: few, so that queries that arrive in the meantime form the next batch.
const TURNS: usize = 2;

type Reply<A> = Result<A, Arc<sqlx::Error>>;
type Waiting<Q, A> = Vec<(Q, oneshot::Sender<Reply<A>>)>;

/// A query. Two with the same name are not in one batch.
pub(super) trait BatchKey: Clone {
    fn name(&self) -> &str;
}

/// Waiting queries.
#[derive(Debug)]
pub(super) struct RequestBatcher<Q, A> {
    waiting: Mutex<Waiting<Q, A>>,
    turns: Arc<Semaphore>,
}

/// A query that waits for its answer.
pub(super) struct QueuedRequest<'a, Q, A> {
    together: &'a RequestBatcher<Q, A>,
    question: Q,
    receiver: oneshot::Receiver<Reply<A>>,
}

/// What a waiting caller does next.
pub(super) enum BatchTurn<Q, A> {
    Answered(Result<A, sqlx::Error>),
    /// It sends this batch.
    Ours(RequestBatch<Q, A>),
}

/// Queries that are sent together.
pub(super) struct RequestBatch<Q, A> {
    pub(super) questions: Vec<Q>,
    senders: Vec<oneshot::Sender<Reply<A>>>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl<Q: BatchKey, A> RequestBatcher<Q, A> {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::default(), turns: Arc::new(Semaphore::new(TURNS)) }
    }

    pub(super) fn ask(&self, question: Q) -> QueuedRequest<'_, Q, A> {
        let receiver = self.wait(question.clone());
        QueuedRequest { together: self, question, receiver }
    }

    fn wait(&self, question: Q) -> oneshot::Receiver<Reply<A>> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((question, sender));
        receiver
    }

    /// The queries that have waited longest, without those whose callers are gone.
    fn take(&self, turn: Option<OwnedSemaphorePermit>) -> RequestBatch<Q, A> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut names, mut left) = (BTreeSet::new(), Waiting::new());
        let mut group = RequestBatch { questions: Vec::new(), senders: Vec::new(), _turn: turn };
        for (question, sender) in waiting.drain(..).filter(|(_, sender)| !sender.is_closed()) {
            if group.questions.len() < TOGETHER_MAX && names.insert(question.name().to_owned()) {
                group.questions.push(question);
                group.senders.push(sender);
            } else {
                left.push((question, sender));
            }
        }
        *waiting = left;
        group
    }
}

impl<Q: BatchKey, A> QueuedRequest<'_, Q, A> {
    /// Waits until the query is answered, or until it is this caller's turn to send a batch, usually with its own
    /// query.
    pub(super) async fn turn(&mut self) -> BatchTurn<Q, A> {
        loop {
            let reply = tokio::select! {
                biased;
                reply = &mut self.receiver => reply,
                turn = Arc::clone(&self.together.turns).acquire_owned() => {
                    let group = self.together.take(turn.ok());
                    if !group.questions.is_empty() {
                        return BatchTurn::Ours(group);
                    }
                    // Another caller already sends this query.
                    drop(group);
                    (&mut self.receiver).await
                }
            };
            match reply {
                Ok(reply) => {
                    let reply = reply.map_err(|error| sqlx::Error::Io(io::Error::other(error)));
                    return BatchTurn::Answered(reply);
                }
                // The caller that was to send this query is gone.
                Err(_) => self.receiver = self.together.wait(self.question.clone()),
            }
        }
    }
}

impl<Q, A> RequestBatch<Q, A> {
    /// Answers all queries, in order.
    pub(super) fn answer(self, answers: Result<Vec<A>, sqlx::Error>) {
        let answers: Vec<Reply<A>> = match answers {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) => {
                let error = Arc::new(error);
                self.senders.iter().map(|_| Err(Arc::clone(&error))).collect()
            }
        };
        for (sender, answer) in self.senders.into_iter().zip(answers) {
            // The caller may be gone.
            drop(sender.send(answer));
        }
    }
}
