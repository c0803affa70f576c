//! How old is a read model? A caller can wait until it has a position.

use std::time::Duration;

use crate::{
    domain::{
        ids::AccountId,
        recorded::{JournalPosition, Position},
    },
    ledger::Ledger,
    projector::Projector,
};

use super::QueryError;

/// The positions that an answer is based on.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    pub position: JournalPosition,
    pub lag_ms: u64,
}

impl Freshness {
    /// What is read from the journal itself is never behind.
    #[must_use]
    pub const fn of_journal(position: JournalPosition) -> Self {
        Self { position, lag_ms: 0 }
    }
}

/// Which read model is asked, and how new it must be.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    pub projection: &'a str,
    /// The account that is read, if it is only one.
    pub account: Option<&'a AccountId>,
    /// The answer must have every event up to this position. `None`: any.
    pub min_position: Option<JournalPosition>,
}

/// Waits for at most `bound` until a read model has the requested position.
///
/// # Errors
/// If it does not get there in time, there is no such position, or the database does not answer.
pub async fn freshness(
    ledger: &Ledger,
    projector: &Projector,
    asked: ReadRequest<'_>,
    bound: Duration,
) -> Result<Freshness, QueryError> {
    let head = ledger.known_head();
    let wanted = asked.min_position.map_or(Position::default(), |wanted| wanted.position);
    let is_elsewhere = asked.min_position.is_some_and(|wanted| wanted.shard != head.shard);
    // Another instance may have stored more than this one knows.
    if is_elsewhere || wanted > head.position && wanted > ledger.head().await?.position {
        return Err(QueryError::PositionUnknown);
    }
    let as_of = projector.wait_for(asked.projection, head.shard, asked.account, wanted, bound).await?;
    let position = JournalPosition::new(head.shard, as_of.position);
    if !as_of.reached {
        return Err(QueryError::PositionTimeout { reached: position });
    }
    Ok(Freshness { position, lag_ms: u64::try_from(as_of.lag_ms).unwrap_or(0) })
}
