//! What is asked of the ledger, and what does it answer?

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::{
    domain::{
        command::Command,
        credits::Balance,
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

#[derive(Clone, Debug)]
pub struct Request {
    pub account: AccountId,
    pub command: Command,
    pub key: IdempotencyKey,
    pub provenance: Provenance,
}

impl Request {
    /// What no other command of the account has: its key, and the generation that it charges or holds for.
    pub(super) fn uniques(&self) -> impl Iterator<Item = AccountUnique> {
        let key = self.key.0.clone().map(Unique::Key);
        let generation = self.command.charges_for().cloned().map(Unique::Generation);
        key.into_iter().chain(generation).map(|unique| (self.account.clone(), unique))
    }

    /// What a repeated request is compared by: hex, the first 128 bits of SHA-256. What Stripe reports twice
    /// may differ in form, so there the key alone says what it is.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        match self.provenance.origin {
            Origin::Stripe => hasher.update(self.key.as_deref().unwrap_or_default()),
            Origin::Api | Origin::Clock | Origin::Operator => {
                // Commands are plain data: writing them as JSON cannot fail.
                hasher.update(serde_json::to_vec(&self.command).unwrap_or_default());
            }
        }
        let hash: [u8; 32] = hasher.finalize().into();
        hash.first_chunk::<16>().map(hex::encode).unwrap_or_default()
    }
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
    #[must_use]
    pub fn of(events: Arc<Vec<RecordedEvent>>, replayed: bool, head: JournalPosition) -> Self {
        let position = events.last().map_or(head, RecordedEvent::at);
        Self { events, replayed, position }
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

/// A request on its way through the ledger.
#[derive(Debug)]
pub(super) struct Job<R = PendingReply> {
    pub(super) request: Request,
    pub(super) hash: String,
    pub(super) at: Timestamp,
    pub(super) reply: R,
}

/// Where an answer goes.
pub(super) trait ReplyTo {
    fn send(self, answer: ExecuteResult);
}

impl<R: ReplyTo> Job<R> {
    pub(super) fn answer(self, answer: ExecuteResult) {
        self.reply.send(answer);
    }
}

/// Somebody who waits for the answer in another task.
#[derive(Debug)]
pub(super) struct PendingReply {
    pub(super) reply: oneshot::Sender<ExecuteResult>,
    /// It waits until it is answered.
    pub(super) place: PendingCommand,
}

impl ReplyTo for PendingReply {
    fn send(self, answer: ExecuteResult) {
        let Self { reply, place } = self;
        // Whoever asked may have gone away; the command took effect all the same.
        let _gone = reply.send(answer);
        drop(place);
    }
}
