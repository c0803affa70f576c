//! How does a parked account catch up?

use crate::domain::{
    ids::AccountId,
    recorded::{Position, Shard},
};

use super::{
    Projector,
    checkpoint::{self, CheckpointId},
    error::{ProjectionFault, ProjectorError},
    worker::readable,
};
use crate::projections::Tables;

/// How many of the account's events are read at a time.
const EVENTS_MAX: i64 = 5_000;

impl Projector {
    /// Applies the events of a parked account that waited, in their order, and lets it go on with the others.
    /// All of them, or the account stays parked as it was. Says how many events that were.
    ///
    /// # Errors
    /// When the account is not parked, one of its events still cannot be applied, or the database cannot
    /// answer.
    pub async fn unpark(&self, projection: &str, account: &AccountId) -> Result<u64, ProjectorError> {
        let projection = self.find(projection)?.name();
        let mut connection = self.pool.acquire().await?;
        let version = checkpoint::live_version(&mut connection, projection).await?;
        let shard: Option<i16> = sqlx::query_scalar(include_str!("shard_of_parked.sql"))
            .bind(projection)
            .bind(version)
            .bind(account.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        drop(connection);
        let not_parked =
            || ProjectorError::NotParked { projection: projection.into(), account: account.to_string() };
        let place = CheckpointId { projection, version, shard: shard.map(Shard).ok_or_else(not_parked)? };
        match self.release(place, account).await {
            Ok(Some(applied)) => Ok(applied),
            Ok(None) => Err(not_parked()),
            Err(error) if error.fault() == ProjectionFault::Event => {
                self.note_reason(place, account, &error.reason()).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// `None` when someone else released it meanwhile.
    async fn release(&self, place: CheckpointId, account: &AccountId) -> Result<Option<u64>, ProjectorError> {
        let model = self.find(place.projection)?;
        let mut transaction = self.pool.begin().await?;
        let Some(locked) = checkpoint::lock(&mut transaction, place).await? else { return Ok(None) };
        let Some(first) = locked.parked.get(account.as_str()).copied() else { return Ok(None) };
        let mut from = Position(first);
        let mut applied: u64 = 0;
        loop {
            let to = Position(locked.position);
            let entries = self.feed.of_account(place.shard, account.as_str(), from, to, EVENTS_MAX).await?;
            let Some(last) = entries.last() else { break };
            from = Position(last.position().0.saturating_add(1));
            let waiting = readable(&entries, |_| false)?;
            model.apply(&waiting, Tables { version: place.version }, &mut transaction).await?;
            applied = applied.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        }
        sqlx::query(include_str!("unpark.sql"))
            .bind(place.projection)
            .bind(place.version)
            .bind(place.shard.0)
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        checkpoint::count_park(&mut transaction, place).await?;
        transaction.commit().await?;
        self.wake.notify();
        Ok(Some(applied))
    }

    async fn note_reason(
        &self,
        place: CheckpointId,
        account: &AccountId,
        reason: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(include_str!("note_reason.sql"))
            .bind(place.projection)
            .bind(place.version)
            .bind(place.shard.0)
            .bind(account.as_str())
            .bind(reason)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
