//! What is asked of the ledger, and what does it answer?

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::{
    domain::{
        command::Command,
        credits::Balance,
        event::Event,
        ids::{AccountId, Actor},
        recorded::{JournalPosition, Origin, RecordedEvent, RequestHash},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::unique::Unique,
};

use super::pending_commands::PendingCommand;

/// Identifies a request and its repetitions, within an account and for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(Option<Arc<str>>);

impl IdempotencyKey {
    /// The key that a caller sent.
    #[must_use]
    pub fn caller(key: &str) -> Self {
        Self(Some(format!("api:{key}").into()))
    }

    /// A key that is made of the Stripe object that the command is about.
    #[must_use]
    pub fn stripe(key: &str) -> Self {
        Self(Some(format!("stripe:{key}").into()))
    }

    /// The key for opening an account, which happens once.
    #[must_use]
    pub fn opening() -> Self {
        Self(Some("open".into()))
    }

    /// The key for an account that moves in, which happens once.
    #[must_use]
    pub fn importing() -> Self {
        Self(Some("import".into()))
    }

    /// No key, for commands that have no effect when repeated.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// An account, with something that only one of its commands can have.
pub(super) type AccountUnique = (AccountId, Unique);

/// Where a command comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub actor: Actor,
    pub origin: Origin,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub stripe_event: Option<String>,
}

/// A command, its account, and who asks. `R`: where the answer goes, once the ledger has accepted the request.
#[derive(Clone, Debug)]
pub struct Request<R = ()> {
    pub(super) account: AccountId,
    pub(super) command: Command,
    pub(super) key: IdempotencyKey,
    pub(super) provenance: Provenance,
    /// By this, repeated requests are compared.
    pub(super) hash: RequestHash,
    /// After this, it is not decided any more. `None`: whenever it is.
    pub(super) until: Option<Timestamp>,
    pub(super) reply_to: R,
}

impl Request {
    #[must_use]
    pub fn new(account: AccountId, command: Command, key: IdempotencyKey, provenance: Provenance) -> Self {
        let hash = hash(&command, &key, provenance.origin);
        Self { account, command, key, provenance, hash, until: None, reply_to: () }
    }

    /// The same, which has no outcome if it was not decided until then: somebody else does it.
    #[must_use]
    pub fn until(self, until: Option<Timestamp>) -> Self {
        Self { until, ..self }
    }

    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.command
    }

    /// The same request, with a place for the answer.
    pub(super) fn with_reply_to<R>(self, reply_to: R) -> Request<R> {
        let Self { account, command, key, provenance, hash, until, reply_to: () } = self;
        Request { account, command, key, provenance, hash, until, reply_to }
    }
}

impl<R> Request<R> {
    /// What only one command of the account can have: the key, and the generation that it charges or holds for.
    pub(super) fn uniques(&self) -> impl Iterator<Item = AccountUnique> {
        let key = self.key.0.clone().map(Unique::Key);
        let generation = self.command.charges_for().cloned().map(Unique::Generation);
        key.into_iter().chain(generation).map(|unique| (self.account.clone(), unique))
    }

    /// Whether the time in which it may be decided is over.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until < now)
    }

    pub(super) fn answer(self, answer: ExecuteResult)
    where
        R: ReplyTo,
    {
        self.reply_to.send(answer);
    }
}

/// For Stripe's requests, only the key is hashed, since repeated reports may differ in form.
fn hash(command: &Command, key: &IdempotencyKey, origin: Origin) -> RequestHash {
    let mut hasher = Sha256::new();
    match origin {
        Origin::Stripe => hasher.update(key.as_deref().unwrap_or_default()),
        Origin::Api | Origin::Clock | Origin::Operator => {
            // Commands are plain data that can always be written as JSON.
            hasher.update(serde_json::to_vec(command).unwrap_or_default());
        }
    }
    let hash: [u8; 32] = hasher.finalize().into();
    RequestHash(hash.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default())
}

/// What a command did. Repeated requests have the same outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Empty if the account was already as the command asks.
    pub events: Arc<Vec<RecordedEvent>>,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
    /// The position of the last event or, if there are no events, the end of the journal at the time.
    pub position: JournalPosition,
}

impl Outcome {
    /// The outcome of a command that was just decided.
    /// `last`: the position of the last event that was decided before it.
    pub(super) fn new(events: Vec<RecordedEvent>, last: JournalPosition) -> Self {
        let position = events.last().map_or(last, RecordedEvent::at);
        Self { events: Arc::new(events), replayed: false, position }
    }

    /// Finds something in the events.
    /// The command's own event comes after those of what was due, so the search starts at the end.
    pub fn find<'a, T>(&'a self, read: impl FnMut(&'a Event) -> Option<T>) -> Option<T> {
        self.events.iter().rev().map(|recorded| &recorded.event).find_map(read)
    }

    /// The balance after the command. `None`: it had no events.
    #[must_use]
    pub fn balance(&self) -> Option<Balance> {
        self.events.last().map(|last| last.metadata.balance)
    }
}

/// An earlier request with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    Same,
    Another,
}

/// Why a request has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The rules refuse the command. Nothing was stored.
    #[error("the command was refused")]
    Refused(Refusal),
    /// The key, or the generation, was used for another request. Nothing was stored.
    #[error("the idempotency key or the generation was used for another request")]
    KeyReused,
    /// Too many commands are queued. Nothing was stored.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database does not accept commands now. Nothing was stored.
    #[error("the database does not accept commands now")]
    Unavailable,
    /// It was not known in time. Repeating the request with the same key returns the outcome.
    #[error("the outcome was not known in time")]
    OutcomeUnknown,
    /// The command is refused at this machine's time, but its clock is behind the journal. Nothing was stored.
    #[error("the clock is {behind_s} s behind the newest event")]
    ClockBehind { behind_s: i64 },
    /// The rules cannot have written the account's history. Nothing was stored.
    #[error("the account's history is damaged")]
    Damaged,
}

pub type ExecuteResult = Result<Outcome, ExecuteError>;

/// Where the answer to a request goes.
pub(super) trait ReplyTo {
    /// When the request was accepted. It is decided as of this time, however long it waits.
    fn accepted_at(&self) -> Timestamp;

    fn send(self, answer: ExecuteResult);
}

/// A caller that waits for the answer in another task.
#[derive(Debug)]
pub(super) struct PendingReply {
    pub(super) accepted_at: Timestamp,
    pub(super) reply: oneshot::Sender<ExecuteResult>,
    /// Its place among the waiting commands, which ends with the answer.
    pub(super) place: PendingCommand,
}

impl ReplyTo for PendingReply {
    fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    fn send(self, answer: ExecuteResult) {
        let Self { reply, place, .. } = self;
        // The caller may have disconnected; the command took effect all the same.
        let _gone = reply.send(answer);
        drop(place);
    }
}
