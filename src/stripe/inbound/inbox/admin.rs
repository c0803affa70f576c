//! What can an operator do with an event that was not processed?

use super::{Inbox, InboxEntry, InboxState};
use crate::domain::time::Timestamp;

/// The result of such an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operated {
    Done,
    /// The inbox does not have the event.
    NotFound,
    /// The event's state does not allow this.
    NotPossible {
        state: InboxState,
    },
    /// The document is no longer stored.
    Forgotten,
}

impl Inbox {
    /// Has an event processed again, at once, as if it had just arrived. A processed event is left as it is.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn retry(&self, event_id: &str, at: Timestamp) -> Result<Operated, sqlx::Error> {
        let changed = sqlx::query(include_str!("retry.sql"))
            .bind(event_id)
            .bind(at.to_utc())
            .execute(self.pool())
            .await?;
        self.wake();
        self.outcome(event_id, changed.rows_affected()).await
    }

    /// Decides that an event is not processed. It stays in the inbox, with the reason.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn discard(
        &self,
        event_id: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Operated, sqlx::Error> {
        let changed = sqlx::query(include_str!("discard.sql"))
            .bind(event_id)
            .bind(reason)
            .bind(at.to_utc())
            .execute(self.pool())
            .await?;
        self.outcome(event_id, changed.rows_affected()).await
    }

    /// Has every event processed again that an earlier release could not handle. Returns how many there are.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn reprocess(&self, at: Timestamp) -> Result<u64, sqlx::Error> {
        let changed =
            sqlx::query(include_str!("reprocess.sql")).bind(at.to_utc()).execute(self.pool()).await?;
        self.wake();
        Ok(changed.rows_affected())
    }

    async fn outcome(&self, event_id: &str, changed: u64) -> Result<Operated, sqlx::Error> {
        if changed > 0 {
            return Ok(Operated::Done);
        }
        let entry = self.find(event_id).await?;
        Ok(match entry {
            None => Operated::NotFound,
            Some(InboxEntry { body: None, .. }) => Operated::Forgotten,
            Some(InboxEntry { summary, .. }) => Operated::NotPossible { state: summary.state },
        })
    }
}
