//! How old is what a read model says? It is waited for as long as was asked for.

use std::time::Duration;

use crate::{
    domain::{ids::AccountId, recorded::Position},
    ledger::{Ledger, SHARD},
    projector::Projector,
};

use super::QueryError;

/// What an answer rests on.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    pub position: Position,
    pub lag_ms: u64,
}

/// What a read model is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    pub projection: &'a str,
    /// The account that is read, where it is one.
    pub account: Option<&'a AccountId>,
    /// The answer has every event up to there. 0: whatever there is.
    pub min_position: Position,
}

/// Waits, and not longer than `bound`, until a read model has what it is asked for.
///
/// # Errors
/// When it does not get there in time, there is no such position, or the database does not answer.
pub async fn freshness(
    ledger: &Ledger,
    projector: &Projector,
    asked: ReadRequest<'_>,
    bound: Duration,
) -> Result<Freshness, QueryError> {
    // Another instance may have stored more than this one knows of.
    let known = *ledger.positions().borrow();
    if asked.min_position > known && asked.min_position > ledger.head().await? {
        return Err(QueryError::PositionUnknown);
    }
    let as_of = projector.wait_for(asked.projection, SHARD, asked.account, asked.min_position, bound).await?;
    if !as_of.reached {
        return Err(QueryError::PositionTimeout { reached: as_of.position });
    }
    Ok(Freshness { position: as_of.position, lag_ms: u64::try_from(as_of.lag_ms).unwrap_or(0) })
}
