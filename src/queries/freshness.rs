//! How old is an answer? A caller can ask for one that has a position.

use std::time::{Duration, Instant};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{JournalPosition, JournalPositions, Shard},
    },
    ledger::Ledger,
    projector::Projector,
};

use super::QueryError;

/// The positions that an answer is based on.
#[derive(Clone, Debug)]
pub struct Freshness {
    pub position: JournalPositions,
    pub lag_ms: u64,
}

impl Freshness {
    /// What is read from two read models is as old as the older one.
    #[must_use]
    pub fn older(self, other: Self) -> Self {
        let position = self.position.earlier(&other.position);
        Self { position, lag_ms: self.lag_ms.max(other.lag_ms) }
    }

    /// What is read from the journal itself is never behind.
    #[must_use]
    pub fn of_journal(position: JournalPosition) -> Self {
        Self { position: position.into(), lag_ms: 0 }
    }
}

/// Which read model is asked, and how new it must be.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    pub projection: &'a str,
    /// The account that is read, if it is only one.
    pub account: Option<&'a AccountId>,
    /// The answer must have every event up to these places. `None`: any.
    pub min_position: Option<&'a JournalPositions>,
}

/// Checks that a position is one of the journal. Any other was made up.
///
/// # Errors
/// If it is not, or the database does not answer.
pub async fn require_known(
    ledger: &Ledger,
    min_position: Option<&JournalPositions>,
) -> Result<(), QueryError> {
    match min_position {
        Some(places) if !ledger.has(places).await? => Err(QueryError::PositionUnknown),
        Some(_) | None => Ok(()),
    }
}

/// Waits for at most `bound` until a read model has the requested position.
/// Of an account, only its own shard is waited for: nothing in the others changes what is said of it.
///
/// # Errors
/// If it does not get there in time, there is no such position, or the database does not answer.
pub async fn freshness(
    ledger: &Ledger,
    projector: &Projector,
    asked: ReadRequest<'_>,
    bound: Duration,
) -> Result<Freshness, QueryError> {
    require_known(ledger, asked.min_position).await?;
    let shards: Vec<Shard> = match asked.account {
        Some(account) => vec![ledger.shard_of(account)],
        None => ledger.shards().iter().collect(),
    };
    let deadline = Instant::now() + bound;
    let (mut reached, mut lag_ms, mut places) = (true, 0, Vec::with_capacity(shards.len()));
    for shard in shards {
        let wanted = asked.min_position.and_then(|places| places.of(shard)).unwrap_or_default();
        let left = deadline.saturating_duration_since(Instant::now());
        let as_of = projector.wait_for(asked.projection, shard, asked.account, wanted, left).await?;
        reached &= as_of.reached;
        lag_ms = lag_ms.max(u64::try_from(as_of.lag_ms).unwrap_or(0));
        places.push(JournalPosition::new(shard, as_of.position));
    }
    let position = places.into_iter().collect();
    if reached {
        Ok(Freshness { position, lag_ms })
    } else {
        Err(QueryError::PositionTimeout { reached: position })
    }
}
