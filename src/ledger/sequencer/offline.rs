//! What would be stored of requests that nobody else competes with? For filling an empty journal with a history.

use std::sync::Arc;

use crate::{
    domain::{
        catalog::Catalog,
        recorded::{Position, Shard},
        time::Timestamp,
    },
    journal::{load::LoadedAccount, row::NewRows},
    ledger::request::{ExecuteResult, ReplyTo, Request},
};

use super::decider::Decider;

/// Decides requests one after the other, into blocks, without a database. The caller keeps the accounts.
#[derive(Debug)]
pub struct OfflineDecisions<'a> {
    shard: Shard,
    catalog: &'a Catalog,
    stamp: Arc<str>,
    last: Position,
    rows: NewRows,
    recorded_at: Timestamp,
}

/// When the request is taken to be accepted. Nobody waits for the answer.
struct AcceptedAt(Timestamp);

impl ReplyTo for AcceptedAt {
    fn accepted_at(&self) -> Timestamp {
        self.0
    }

    fn send(self, _: ExecuteResult) {}
}

impl<'a> OfflineDecisions<'a> {
    /// The first event gets the position after `last`.
    #[must_use]
    pub fn new(shard: Shard, catalog: &'a Catalog, last: Position) -> Self {
        let stamp = catalog.stamp().into();
        Self { shard, catalog, stamp, last, rows: NewRows::default(), recorded_at: Timestamp::MIN }
    }

    /// Decides a request as of a time, and applies its events to the account. The time of a block is that of its first.
    ///
    /// # Errors
    /// As the ledger answers. Nothing was added then.
    pub fn decide(&mut self, request: Request, at: Timestamp, known: &mut LoadedAccount) -> ExecuteResult {
        if self.rows.is_empty() {
            self.recorded_at = at;
        }
        let mut decider = Decider {
            shard: self.shard,
            catalog: self.catalog,
            stamp: &self.stamp,
            recorded_at: self.recorded_at,
            last: &mut self.last,
            rows: &mut self.rows,
        };
        decider.decide(&request.with_reply_to(AcceptedAt(at)), known, |_| {})
    }

    /// The position of the last event.
    #[must_use]
    pub const fn last(&self) -> Position {
        self.last
    }

    /// How many events the block has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Ends the block, and returns its rows and the time at which they count as stored.
    pub fn end_block(&mut self) -> (NewRows, Timestamp) {
        (std::mem::take(&mut self.rows), self.recorded_at)
    }
}
