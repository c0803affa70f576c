//! What can only one command of an account have? An idempotency key, and a generation.
//!
//! A key is stored as its digest: 16 bytes, however long it is.

use std::{ops::Range, sync::Arc};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::{
    event::{CreditsEvent, Event, HoldEvent},
    ids::{AccountId, GenerationId},
};

/// What at most one command of an account has, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unique {
    /// The idempotency key. It is stored with the first event of the command.
    Key(Arc<str>),
    /// The generation that the command charges or holds for, at the catalog's price.
    Generation(GenerationId),
}

/// The column `generation` of an event: the id of the generation that it is about, a space, and the event's sequence.
/// Without the sequence it is the generation's own charge or hold, of which there is only one.
#[must_use]
pub fn generation(event: &Event, sequence: i64) -> Option<String> {
    let (purpose, may_begin) = match event {
        Event::Credits(CreditsEvent::CreditsDeducted { purpose, .. })
        | Event::Hold(HoldEvent::CreditsHeld { purpose, .. }) => (purpose, true),
        Event::Hold(
            HoldEvent::HoldCommitted { purpose, .. }
            | HoldEvent::HoldSpent { purpose, .. }
            | HoldEvent::HoldToppedUp { purpose, .. }
            | HoldEvent::HoldReduced { purpose, .. },
        ) => (purpose, false),
        Event::Credits(CreditsEvent::CreditsGranted { purpose, .. })
        | Event::Hold(HoldEvent::HoldReleased { purpose, .. } | HoldEvent::HoldExpired { purpose, .. }) => {
            (purpose.as_ref()?, false)
        }
        // A refund is found by its purpose.
        Event::Credits(_)
        | Event::Hold(HoldEvent::HoldExtended { .. })
        | Event::Account(_)
        | Event::Invoice(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Payment(_)
        | Event::Checkout(_) => return None,
    };
    let id = purpose.generation_id()?;
    Some(if may_begin && purpose.is_generation() { first_of(id) } else { format!("{id} {sequence}") })
}

/// The column for a generation's own charge or hold.
#[must_use]
pub fn first_of(id: &GenerationId) -> String {
    format!("{id} ")
}

/// The columns of all events of a generation. No id contains a space, or a character before `!`.
#[must_use]
pub fn all_of(id: &GenerationId) -> Range<String> {
    first_of(id)..format!("{id}!")
}

/// The column `key_digest` of the first event of a command: the first 128 bits of SHA-256 over the account, a zero byte
/// and the key. `ledger.key_digest` computes the same.
#[must_use]
pub fn key_digest(account: &AccountId, key: &str) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(account.as_str());
    hasher.update([0_u8]);
    hasher.update(key);
    let hash: [u8; 32] = hasher.finalize().into();
    Uuid::from_bytes(hash.first_chunk().copied().unwrap_or_default())
}

/// Keys and generations as two columns, for a look-up in each.
pub(super) fn columns<'a>(
    uniques: impl Iterator<Item = (&'a AccountId, Option<&'a Unique>)>,
) -> (Vec<Option<Uuid>>, Vec<Option<String>>) {
    let column = |(account, unique): (&'a AccountId, Option<&'a Unique>)| match unique {
        Some(Unique::Key(key)) => (Some(key_digest(account, key)), None),
        Some(Unique::Generation(id)) => (None, Some(first_of(id))),
        None => (None, None),
    };
    uniques.map(column).unzip()
}
