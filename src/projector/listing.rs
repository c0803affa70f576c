//! In which state are the read models? What `projections list` shows.

use sqlx::FromRow;

use crate::{
    consumer::{ParkedAccount, Pass},
    domain::recorded::{Position, Shard},
    journal::shards,
};

use super::{Projector, error::ProjectorError};

/// One version of one read model, on one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionListing {
    pub projection: String,
    pub version: i32,
    pub shard: Shard,
    pub position: Position,
    /// How many events are in the journal and not in the tables.
    pub lag_events: i64,
    /// The age of the oldest of them, in milliseconds.
    pub lag_ms: i64,
    pub state: ProjectionState,
    pub parked: Vec<ParkedAccount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectionState {
    Live,
    /// Not shown to readers yet. How much of the journal it has, in percent.
    Rebuilding {
        percent: u8,
    },
    Stopped {
        reason: String,
    },
    /// No reader sees it any more; kept until it is dropped.
    Old,
}

#[derive(FromRow)]
struct ListingRow {
    projection: String,
    version: i32,
    shard: i16,
    position: i64,
    stopped: Option<String>,
    live_version: i32,
}

impl ListingRow {
    fn state(&self, head: i64) -> ProjectionState {
        match (&self.stopped, self.version.cmp(&self.live_version)) {
            (_, std::cmp::Ordering::Less) => ProjectionState::Old,
            (Some(reason), _) => ProjectionState::Stopped { reason: reason.clone() },
            (None, std::cmp::Ordering::Equal) => ProjectionState::Live,
            (None, std::cmp::Ordering::Greater) => {
                ProjectionState::Rebuilding { percent: percent(self.position, head) }
            }
        }
    }
}

pub(super) fn percent(position: i64, head: i64) -> u8 {
    let whole = position.saturating_mul(100).checked_div(head).unwrap_or(100);
    u8::try_from(whole.clamp(0, 100)).unwrap_or(100)
}

impl Projector {
    /// Every version of every read model.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self) -> Result<Vec<ProjectionListing>, ProjectorError> {
        let rows: Vec<ListingRow> = sqlx::query_as(include_str!("listing.sql")).fetch_all(&self.pool).await?;
        // Two queries: the journal and the read models may be on different nodes.
        let heads = shards::heads(&mut *self.pool.acquire().await?).await?;
        let mut listings = Vec::with_capacity(rows.len());
        for row in rows {
            let head = heads.of(Shard(row.shard)).map_or(row.position, |head| head.0);
            let state = row.state(head);
            let lag_ms = match state {
                ProjectionState::Old => 0,
                ProjectionState::Live
                | ProjectionState::Rebuilding { .. }
                | ProjectionState::Stopped { .. } => {
                    self.consumers.lag_ms(Shard(row.shard), Position(row.position)).await?
                }
            };
            let parked = self.consumers.parked(&row.projection, Pass(row.version), Shard(row.shard)).await?;
            listings.push(ProjectionListing {
                state,
                lag_ms,
                parked,
                lag_events: head.saturating_sub(row.position),
                projection: row.projection,
                version: row.version,
                shard: Shard(row.shard),
                position: Position(row.position),
            });
        }
        Ok(listings)
    }
}
