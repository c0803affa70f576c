//! In which state are the read models? What `projections list` shows.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::domain::recorded::{Position, Shard};

use super::{Projector, checkpoint, error::ProjectorError};

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

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ParkedAccount {
    pub account_id: String,
    /// The event that could not be applied.
    pub position: i64,
    pub reason: String,
    pub parked_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct ListingRow {
    projection: String,
    version: i32,
    shard: i16,
    position: i64,
    stopped: Option<String>,
    live_version: i32,
    head: i64,
}

impl ListingRow {
    fn state(&self) -> ProjectionState {
        match (&self.stopped, self.version.cmp(&self.live_version)) {
            (_, std::cmp::Ordering::Less) => ProjectionState::Old,
            (Some(reason), _) => ProjectionState::Stopped { reason: reason.clone() },
            (None, std::cmp::Ordering::Equal) => ProjectionState::Live,
            (None, std::cmp::Ordering::Greater) => {
                ProjectionState::Rebuilding { percent: percent(self.position, self.head) }
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
    /// When the database cannot answer.
    pub async fn list(&self) -> Result<Vec<ProjectionListing>, ProjectorError> {
        let rows: Vec<ListingRow> = sqlx::query_as(include_str!("listing.sql")).fetch_all(&self.pool).await?;
        let mut listings = Vec::with_capacity(rows.len());
        for row in rows {
            let state = row.state();
            let lag_ms = match state {
                ProjectionState::Old => 0,
                ProjectionState::Live
                | ProjectionState::Rebuilding { .. }
                | ProjectionState::Stopped { .. } => {
                    self.lag_ms(Shard(row.shard), Position(row.position)).await?
                }
            };
            let parked = self.parked_in(&row.projection, row.version, Shard(row.shard)).await?;
            listings.push(ProjectionListing {
                state,
                lag_ms,
                parked,
                lag_events: row.head.saturating_sub(row.position),
                projection: row.projection,
                version: row.version,
                shard: Shard(row.shard),
                position: Position(row.position),
            });
        }
        Ok(listings)
    }

    async fn parked_in(
        &self,
        projection: &str,
        version: i32,
        shard: Shard,
    ) -> Result<Vec<ParkedAccount>, sqlx::Error> {
        sqlx::query_as(include_str!("parked.sql"))
            .bind(projection)
            .bind(version)
            .bind(shard.0)
            .fetch_all(&self.pool)
            .await
    }

    /// Lets a read model that stopped try again.
    ///
    /// # Errors
    /// When there is no such read model, or the database cannot answer.
    pub async fn resume(&self, projection: &str) -> Result<(), ProjectorError> {
        let projection = self.find(projection)?.name();
        let mut connection = self.pool.acquire().await?;
        let version = checkpoint::live_version(&mut connection, projection).await?;
        sqlx::query(include_str!("resume.sql"))
            .bind(projection)
            .bind(version)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}
