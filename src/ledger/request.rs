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
        recorded::{JournalPosition, Origin, RecordedEvent},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::unique::Unique,
};

use super::pending_commands::PendingCommand;

/// What makes two requests the same one. Unique within an account, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(Option<Arc<str>>);

impl IdempotencyKey {
    /// The key that a caller sent.
    #[must_use]
    pub fn caller(key: &str) -> Self {
        Self(Some(format!("api:{key}").into()))
    }

    /// A key made of the Stripe object that the command is about.
    #[must_use]
    pub fn stripe(key: &str) -> Self {
        Self(Some(format!("stripe:{key}").into()))
    }

    /// For opening an account, which happens once.
    #[must_use]
    pub fn opening() -> Self {
        Self(Some("open".into()))
    }

    /// For an account that was kept elsewhere, which moves in once.
    #[must_use]
    pub fn importing() -> Self {
        Self(Some("import".into()))
    }

    /// For commands that have no effect when repeated.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) const fn shared(&self) -> Option<&Arc<str>> {
        self.0.as_ref()
    }
}

/// An account and what only one command in it has.
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

/// A command, for whom, and who asks. `R`: who waits for the answer, once the ledger has accepted it.
#[derive(Clone, Debug)]
pub struct Request<R = ()> {
    pub(super) account: AccountId,
    pub(super) command: Command,
    pub(super) key: IdempotencyKey,
    pub(super) provenance: Provenance,
    /// What a repeated request is compared by: hex, the first 128 bits of SHA-256.
    pub(super) hash: String,
    pub(super) reply_to: R,
}

impl Request {
    #[must_use]
    pub fn new(account: AccountId, command: Command, key: IdempotencyKey, provenance: Provenance) -> Self {
        let hash = hash(&command, &key, provenance.origin);
        Self { account, command, key, provenance, hash, reply_to: () }
    }

    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.command
    }

    /// The same, with somebody who waits for the answer.
    pub(super) fn with_reply_to<R>(self, reply_to: R) -> Request<R> {
        let Self { account, command, key, provenance, hash, reply_to: () } = self;
        Request { account, command, key, provenance, hash, reply_to }
    }
}

impl<R> Request<R> {
    /// What no other command of the account has: its key, and the generation that it charges or holds for.
    pub(super) fn uniques(&self) -> impl Iterator<Item = AccountUnique> {
        let key = self.key.0.clone().map(Unique::Key);
        let generation = self.command.charges_for().cloned().map(Unique::Generation);
        key.into_iter().chain(generation).map(|unique| (self.account.clone(), unique))
    }

    pub(super) fn answer(self, answer: ExecuteResult)
    where
        R: ReplyTo,
    {
        self.reply_to.send(answer);
    }
}

/// What Stripe reports twice may differ in form, so there the key alone says what it is.
fn hash(command: &Command, key: &IdempotencyKey, origin: Origin) -> String {
    let mut hasher = Sha256::new();
    match origin {
        Origin::Stripe => hasher.update(key.as_deref().unwrap_or_default()),
        Origin::Api | Origin::Clock | Origin::Operator => {
            // Commands are plain data: writing them as JSON cannot fail.
            hasher.update(serde_json::to_vec(command).unwrap_or_default());
        }
    }
    let hash: [u8; 32] = hasher.finalize().into();
    hash.first_chunk::<16>().map(hex::encode).unwrap_or_default()
}

/// What a command did. The same for a repeated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Empty when everything that was asked for was true already.
    pub events: Arc<Vec<RecordedEvent>>,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
    /// The position of the last event, or, if there is none, where the journal was.
    pub position: JournalPosition,
}

impl Outcome {
    /// What a command did just now. `last`: where the journal ended before it, with all that was decided.
    pub(super) fn new(events: Vec<RecordedEvent>, last: JournalPosition) -> Self {
        let position = events.last().map_or(last, RecordedEvent::at);
        Self { events: Arc::new(events), replayed: false, position }
    }

    /// What the command's own event says. What time brought comes before it, so the search begins at the end.
    pub fn find<'a, T>(&'a self, read: impl FnMut(&'a Event) -> Option<T>) -> Option<T> {
        self.events.iter().rev().map(|recorded| &recorded.event).find_map(read)
    }

    /// What the account held after the command; `None` when it had no events.
    #[must_use]
    pub fn balance(&self) -> Option<Balance> {
        self.events.last().map(|last| last.metadata.balance)
    }
}

/// What an earlier request with the same key was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    Same,
    Another,
}

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The rules do not allow it. Nothing was stored.
    #[error("the command was refused")]
    Refused(Refusal),
    /// The key, or the id of the generation, was used for another request. Nothing was stored.
    #[error("the idempotency key or the generation was used for another request")]
    KeyReused,
    /// Too much is queued. Nothing was stored.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database does not take commands now. Nothing was stored.
    #[error("the journal takes no commands now")]
    Unavailable,
    /// It was not known in time. The same request with the same key will tell.
    #[error("the outcome was not known in time")]
    OutcomeUnknown,
    /// By this machine's clock it is refused, and the clock is behind what is recorded. Nothing was stored.
    #[error("the clock is {behind_s} s behind what is recorded")]
    ClockBehind { behind_s: i64 },
    /// The account's history is not one that the rules write. Nothing was stored.
    #[error("the account's history is damaged")]
    Damaged,
}

pub type ExecuteResult = Result<Outcome, ExecuteError>;

/// Who waits for the answer to a request.
pub(super) trait ReplyTo {
    /// When the request was accepted. It is decided by this time, however long it waits.
    fn accepted_at(&self) -> Timestamp;

    fn send(self, answer: ExecuteResult);
}

/// Somebody who waits for the answer in another task.
#[derive(Debug)]
pub(super) struct PendingReply {
    pub(super) accepted_at: Timestamp,
    pub(super) reply: oneshot::Sender<ExecuteResult>,
    /// It waits until it is answered.
    pub(super) place: PendingCommand,
}

impl ReplyTo for PendingReply {
    fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    fn send(self, answer: ExecuteResult) {
        let Self { reply, place, .. } = self;
        // Whoever asked may have gone away; the command took effect all the same.
        let _gone = reply.send(answer);
        drop(place);
    }
}
