//! What does a read model get to know of an event?

use crate::domain::{credits::Balance, event::Event, ids::AccountId, time::Timestamp};

/// One event, in its place.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    pub shard: i16,
    /// The event's place in the order of its shard.
    pub position: i64,
    pub account: &'a AccountId,
    /// The event's place in the order of its account.
    pub sequence: i64,
    /// When the ledger learned of it; when it became true is in the event.
    pub recorded_at: Timestamp,
    pub event: &'a Event,
    /// What the account held after it, at the latest time that its events were about until then.
    pub balance: Balance,
    /// The payment provider's event that it came from.
    pub stripe_event: Option<&'a str>,
}
