//! Which accounts wait, and how does a parked account catch up?

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::domain::{
    ids::AccountId,
    recorded::{Position, Shard},
};

use super::{
    Consumers,
    checkpoint::{self, CheckpointId},
    contract::Pass,
    error::{ConsumerError, ConsumerFault},
    worker::readable,
};

/// How many of the account's events are read at a time.
const EVENTS_MAX: i64 = 5_000;

/// An account with an event that could not be handled: it and the later ones wait.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ParkedAccount {
    pub account_id: String,
    /// The event that could not be handled.
    pub position: i64,
    pub reason: String,
    pub parked_at: DateTime<Utc>,
}

impl Consumers {
    /// The accounts that wait in a pass of a consumer.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn parked(
        &self,
        consumer: &str,
        pass: Pass,
        shard: Shard,
    ) -> Result<Vec<ParkedAccount>, ConsumerError> {
        let parked = sqlx::query_as(include_str!("parked.sql")).bind(consumer).bind(pass.0).bind(shard.0);
        Ok(parked.fetch_all(&self.pool).await?)
    }

    /// Handles the events of a parked account that waited, in their order, and lets it go on with the others.
    /// All of them, or the account stays parked as it was. Returns how many events that were.
    ///
    /// # Errors
    /// If the account is not parked, one of its events still cannot be handled, or the database cannot
    /// answer.
    pub async fn unpark(&self, consumer: &str, account: &AccountId) -> Result<u64, ConsumerError> {
        let consumer = self.find(consumer)?;
        let name = consumer.name();
        let mut connection = self.pool.acquire().await?;
        let pass = consumer.current_pass(&mut connection).await?;
        let shard: Option<i16> = sqlx::query_scalar(include_str!("shard_of_parked.sql"))
            .bind(name)
            .bind(pass.0)
            .bind(account.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        drop(connection);
        let not_parked =
            || ConsumerError::NotParked { consumer: name.to_owned(), account: account.to_string() };
        let place = CheckpointId { consumer: name, pass, shard: shard.map(Shard).ok_or_else(not_parked)? };
        match self.release(place, account).await {
            Ok(Some(handled)) => Ok(handled),
            Ok(None) => Err(not_parked()),
            Err(error) if error.fault() == ConsumerFault::Event => {
                let note = place.query(include_str!("note_reason.sql"));
                note.bind(account.as_str()).bind(error.reason()).execute(&self.pool).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// `None` if someone else released it meanwhile.
    async fn release(&self, place: CheckpointId, account: &AccountId) -> Result<Option<u64>, ConsumerError> {
        let consumer = self.find(place.consumer)?;
        let mut transaction = self.pool.begin().await?;
        let Some(locked) = checkpoint::lock(&mut transaction, place).await? else { return Ok(None) };
        let Some(first) = locked.parked.get(account.as_str()).copied() else { return Ok(None) };
        let mut from = Position(first);
        let mut handled: u64 = 0;
        loop {
            let to = Position(locked.position);
            let entries = self.feed.of_account(place.shard, account.as_str(), from, to, EVENTS_MAX).await?;
            let Some(last) = entries.last() else { break };
            from = Position(last.position().0.saturating_add(1));
            let waiting = readable(&entries, |_| false)?;
            consumer.handle(&waiting, place.pass, &mut transaction).await?;
            handled = handled.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        }
        let unpark = place.query(include_str!("unpark.sql"));
        unpark.bind(account.as_str()).execute(&mut *transaction).await?;
        checkpoint::invalidate(&mut transaction, place).await?;
        transaction.commit().await?;
        self.bells.ring(place.shard);
        Ok(Some(handled))
    }
}
