//! What may only one command of an account have? A key, and the id of a generation.

use std::{ops::Range, sync::Arc};

use crate::domain::{
    event::{CreditsEvent, Event, HoldEvent, Purpose},
    ids::GenerationId,
};

/// What at most one command of an account has, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unique {
    /// The idempotency key. The first event of the command has it.
    Key(Arc<str>),
    /// The work that the command charges for, or holds credits for, by the catalog's price.
    Generation(GenerationId),
}

/// What the column `generation` says of an event: the id of the work that it spends or holds credits for, a space, and
/// the event's number. No number, where it is the work's own charge or hold, of which there is one.
#[must_use]
pub fn generation(event: &Event, sequence: i64) -> Option<String> {
    let (Event::Credits(CreditsEvent::CreditsDeducted { purpose, .. })
    | Event::Hold(HoldEvent::CreditsHeld { purpose, .. } | HoldEvent::HoldCommitted { purpose, .. })) = event
    else {
        return None;
    };
    let id = purpose.generation_id()?;
    let begins = matches!(purpose, Purpose::Generation { .. })
        && !matches!(event, Event::Hold(HoldEvent::HoldCommitted { .. }));
    Some(if begins { first_of(id) } else { format!("{id} {sequence}") })
}

/// What the column says of a work's own charge or hold.
#[must_use]
pub fn first_of(id: &GenerationId) -> String {
    format!("{id} ")
}

/// What the column says of every event of a work. No id has a space in it, or a character before `!`.
#[must_use]
pub fn all_of(id: &GenerationId) -> Range<String> {
    first_of(id)..format!("{id}!")
}

/// Names as two columns, for a look-up in each: the keys, and what the column `generation` says.
pub(super) fn columns<'a>(
    uniques: impl Iterator<Item = Option<&'a Unique>>,
) -> (Vec<Option<&'a str>>, Vec<Option<String>>) {
    let column = |unique: Option<&'a Unique>| match unique {
        Some(Unique::Key(key)) => (Some(key.as_ref()), None),
        Some(Unique::Generation(id)) => (None, Some(first_of(id))),
        None => (None, None),
    };
    uniques.map(column).unzip()
}
