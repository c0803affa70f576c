//! How long is a document stored?
//! Until its event has been handled, and for some days after that, in which people may want to read it.
//!
//! What stays says that the event arrived, when, and what its result was: enough to recognise it if it arrives again.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, domain::time::Timestamp};

use super::{Inbox, blanked};

/// For how many days, if no setting says otherwise.
pub const DAYS_DEFAULT: u32 = 90;

/// How often documents are searched whose time is over.
const LOOK_INTERVAL: Duration = Duration::from_mins(10);
/// How many events are changed in one transaction.
const EVENTS_MAX: i64 = 500;

/// Deletes documents whose time is over.
#[derive(Clone, Debug)]
pub struct DocumentRetention {
    inbox: Inbox,
    clock: Clock,
    /// `None`: they are not deleted.
    days: Option<u32>,
}

impl DocumentRetention {
    #[must_use]
    pub const fn new(inbox: Inbox, clock: Clock, days: Option<u32>) -> Self {
        Self { inbox, clock, days }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let looks = async {
            loop {
                if let Err(error) = self.look().await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "what the inbox keeps for too long cannot be taken away now");
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = looks => {}
        }
    }

    /// Deletes all documents that are due now.
    ///
    /// # Errors
    /// If the database does not answer. What was deleted by then stays deleted.
    pub async fn look(&self) -> Result<(), sqlx::Error> {
        while self.inbox.blank_some(EVENTS_MAX).await? > 0 {}
        let Some(days) = self.days else { return Ok(()) };
        let before = self.clock.now().minus(TimeDelta::days(i64::from(days)));
        while self.inbox.forget_some(before, EVENTS_MAX).await? > 0 {}
        Ok(())
    }
}

impl Inbox {
    /// Removes personal values from at most `events_max` documents that an earlier release stored whole.
    /// Returns how many there were.
    async fn blank_some(&self, events_max: i64) -> Result<usize, sqlx::Error> {
        let mut transaction = self.pool().begin().await?;
        let whole: Vec<(String, Option<Vec<u8>>)> = sqlx::query_as(include_str!("unblanked.sql"))
            .bind(events_max)
            .fetch_all(&mut *transaction)
            .await?;
        for (event, body) in &whole {
            sqlx::query(include_str!("blank.sql"))
                .bind(event)
                .bind(body.as_deref().map(blanked))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(whole.len())
    }

    /// Deletes the documents of at most `events_max` events that were handled before `before`.
    /// Returns how many there were.
    async fn forget_some(&self, before: Timestamp, events_max: i64) -> Result<u64, sqlx::Error> {
        let forgotten = sqlx::query(include_str!("forget_bodies.sql"))
            .bind(before.to_utc())
            .bind(events_max)
            .execute(self.pool())
            .await?;
        Ok(forgotten.rows_affected())
    }
}
