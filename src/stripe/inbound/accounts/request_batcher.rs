//! What if many ask the database for the same kind of thing at the same time? One of them asks for all, as soon as it
//! is its turn, so that a thousand imports are some statements and not some thousand.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How many are asked for at a time.
const TOGETHER_MAX: usize = 256;
/// How many ask at a time: few, since whoever comes meanwhile is asked for together.
const TURNS: usize = 2;

type Reply<A> = Result<A, Arc<sqlx::Error>>;
type Waiting<Q, A> = Vec<(Q, oneshot::Sender<Reply<A>>)>;

/// What is asked. Two of one name are not asked together.
pub(super) trait BatchKey: Clone {
    fn name(&self) -> &str;
}

/// Questions that wait.
#[derive(Debug)]
pub(super) struct RequestBatcher<Q, A> {
    waiting: Mutex<Waiting<Q, A>>,
    turns: Arc<Semaphore>,
}

/// One that waits for its answer.
pub(super) struct QueuedRequest<'a, Q, A> {
    together: &'a RequestBatcher<Q, A>,
    question: Q,
    receiver: oneshot::Receiver<Reply<A>>,
}

/// What comes next for one that waits.
pub(super) enum BatchTurn<Q, A> {
    Answered(Result<A, sqlx::Error>),
    /// It is to ask for these.
    Ours(RequestBatch<Q, A>),
}

/// Those that are asked for together.
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

    /// Those that have waited longest, without who has gone away.
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
    /// Waits until it is answered, or is to ask for others, and mostly for itself.
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
                    // Somebody asks for us already.
                    drop(group);
                    (&mut self.receiver).await
                }
            };
            match reply {
                Ok(reply) => {
                    let reply = reply.map_err(|error| sqlx::Error::Io(io::Error::other(error)));
                    return BatchTurn::Answered(reply);
                }
                // Whoever asked for us has gone away.
                Err(_) => self.receiver = self.together.wait(self.question.clone()),
            }
        }
    }
}

impl<Q, A> RequestBatch<Q, A> {
    /// Tells everybody of them, in the order of the questions.
    pub(super) fn answer(self, answers: Result<Vec<A>, sqlx::Error>) {
        let answers: Vec<Reply<A>> = match answers {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) => {
                let error = Arc::new(error);
                self.senders.iter().map(|_| Err(Arc::clone(&error))).collect()
            }
        };
        for (sender, answer) in self.senders.into_iter().zip(answers) {
            // Whoever asked may have gone away.
            drop(sender.send(answer));
        }
    }
}
