//! How long is a document kept? Until its event is over, and so many days more, in which somebody may ask what it said.
//!
//! What is left then says that the event came, when, and what became of it: enough to know it when it comes again.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, domain::time::Timestamp};

use super::{Inbox, blanked};

/// How many days, where nothing else is said.
pub const DAYS_DEFAULT: u32 = 90;

/// How often it is looked what has been kept for long enough.
const LOOK_INTERVAL: Duration = Duration::from_mins(10);
/// How many events are changed in one transaction.
const EVENTS_MAX: i64 = 500;

/// Takes documents away when their time has come.
#[derive(Clone, Debug)]
pub struct DocumentRetention {
    inbox: Inbox,
    clock: Clock,
    /// `None`: they are kept.
    days: Option<u32>,
}

impl DocumentRetention {
    #[must_use]
    pub const fn new(inbox: Inbox, clock: Clock, days: Option<u32>) -> Self {
        Self { inbox, clock, days }
    }

    /// Works until `stop`.
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

    /// Does all that is due now.
    ///
    /// # Errors
    /// When the database does not answer. What was done by then stays done.
    pub async fn look(&self) -> Result<(), sqlx::Error> {
        while self.inbox.blank_some(EVENTS_MAX).await? > 0 {}
        let Some(days) = self.days else { return Ok(()) };
        let before = self.clock.now().minus(TimeDelta::days(i64::from(days)));
        while self.inbox.forget_some(before, EVENTS_MAX).await? > 0 {}
        Ok(())
    }
}

impl Inbox {
    /// Blanks what an earlier release stored whole, at most so many events of it. Answers how many there were.
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

    /// Takes the documents away of at most so many events that were over before a time. Answers how many there were.
    async fn forget_some(&self, before: Timestamp, events_max: i64) -> Result<u64, sqlx::Error> {
        let forgotten = sqlx::query(include_str!("forget_bodies.sql"))
            .bind(before.to_utc())
            .bind(events_max)
            .execute(self.pool())
            .await?;
        Ok(forgotten.rows_affected())
    }
}
