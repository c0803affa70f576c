//! Has another program grown the ledger? Then this one does not know where new accounts are, and has to start again.
//!
//! An append from before a growth is refused by the database. What is not appended is asked here: an account that is
//! not found may have been opened in a shard that this program does not know.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    domain::recorded::JournalPositions,
    journal::shards::{self, ShardMissing},
};

use super::Ledger;

/// How often it is asked if nobody needs to know.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Ledger {
    /// Whether the ledger was grown since this program read its shards.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_grown(&self) -> Result<bool, sqlx::Error> {
        if !self.grown.is_cancelled() {
            let now = shards::shardings(&mut *self.pool.acquire().await?).await?;
            if now != self.shards.shardings() {
                self.grown.cancel();
            }
        }
        Ok(self.grown.is_cancelled())
    }

    /// What is not here is nowhere, unless the ledger was grown.
    ///
    /// # Errors
    /// If it was, or the database does not answer.
    pub(super) async fn require_current(&self) -> Result<(), sqlx::Error> {
        let known = self.shards.iter().len();
        match self.is_grown().await? {
            // As if the database were away: asked again, another instance answers, or this one after its next start.
            true => Err(sqlx::Error::Io(std::io::Error::other(ShardMissing::Unknown { known }))),
            false => Ok(()),
        }
    }

    /// Whether the journal has all of these places.
    ///
    /// # Errors
    /// If the database does not answer, or the ledger was grown and they are in its new shards.
    pub async fn has(&self, places: &JournalPositions) -> Result<bool, sqlx::Error> {
        if places.iter().any(|place| !self.shards.has(place.shard)) {
            self.require_current().await?;
        }
        // Another instance may have stored more than this one knows.
        Ok(places.are_reached_by(&self.known_heads()) || places.are_reached_by(&self.heads().await?))
    }

    /// Is cancelled as soon as it is known that the ledger was grown. Nothing can be stored from then on.
    #[must_use]
    pub fn grown(&self) -> CancellationToken {
        self.grown.clone()
    }

    /// Looks whether the ledger was grown, until `stop` is cancelled, also if nobody sends anything.
    pub async fn watch_growth(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.is_grown().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "it is not known whether the ledger grew"
                );
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }
}
