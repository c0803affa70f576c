//! Which events are stored about an object? For code that looks for missing ones.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::{Inbox, InboxState, claim::EventResult};
use crate::{
    domain::{ids::ProviderId, time::Timestamp},
    stripe::inbound::accounts::{AccountLookup, LearnedAccounts, LookupKeys, NO_LINK, NO_PAYMENT},
};

/// The state of the newest event about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestEvent {
    pub event: String,
    pub created: Timestamp,
    pub state: InboxState,
    pub reason: Option<String>,
}

#[derive(FromRow)]
struct LatestEventRow {
    event_id: String,
    created_at: DateTime<Utc>,
    state: String,
    reason: Option<String>,
}

impl Inbox {
    /// Which of these events are stored.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn known(&self, events: &[&str]) -> Result<BTreeSet<String>, sqlx::Error> {
        let known: Vec<String> =
            sqlx::query_scalar(include_str!("known.sql")).bind(events).fetch_all(self.pool()).await?;
        Ok(known.into_iter().collect())
    }

    /// Wakes all events that wait for something that is known by now. Returns whether there were any.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn wake_known(&self, at: Timestamp) -> Result<bool, sqlx::Error> {
        let woken = sqlx::query(include_str!("wake_known.sql"))
            .bind(at.to_utc())
            .bind(NO_LINK)
            .bind(NO_PAYMENT)
            .execute(self.pool())
            .await?;
        Ok(woken.rows_affected() > 0)
    }

    /// Wakes events that two concurrent claims missed, since neither sees what the other has not committed: those that
    /// wait for what this claim learned, and those of this claim whose missing link or payment is known by now.
    pub(in crate::stripe) async fn wake_missed(
        &self,
        settled: &[EventResult],
        learned: &LearnedAccounts,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let waits = |one: &&EventResult| {
            one.attempts == 1 && matches!(one.reason.as_deref(), Some(NO_LINK | NO_PAYMENT))
        };
        let aside: Vec<&str> = settled.iter().filter(waits).map(|one| one.event_id.as_str()).collect();
        if !aside.is_empty() {
            sqlx::query(include_str!("wake_missed.sql"))
                .bind(aside)
                .bind(at.to_utc())
                .bind(NO_LINK)
                .bind(NO_PAYMENT)
                .execute(self.pool())
                .await?;
        }
        if learned.has_names() {
            learned.wake(&mut *self.pool().acquire().await?, at).await?;
        }
        Ok(())
    }

    /// What is known about which events belong to which accounts.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe::inbound) async fn accounts(
        &self,
        keys: &LookupKeys<'_>,
    ) -> Result<AccountLookup, sqlx::Error> {
        AccountLookup::load(&mut *self.pool().acquire().await?, keys).await
    }

    /// Some subscriptions that were reported by a time, sorted by id, after one of them.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn reported(
        &self,
        after: &str,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<ProviderId>, sqlx::Error> {
        let rows: Vec<String> = sqlx::query_scalar(include_str!("reported.sql"))
            .bind(after)
            .bind(until.to_utc())
            .bind(limit)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().filter_map(|id| ProviderId::parse(id).ok()).collect())
    }

    /// Whether no event that arrived by `until` still has to be handled, by any instance.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_worked_off(&self, until: Timestamp) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(include_str!("is_worked_off.sql"))
            .bind(until.to_utc())
            .fetch_one(self.pool())
            .await
    }

    /// The newest event of one of these types about an object.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn newest_about(
        &self,
        object: &ProviderId,
        kinds: &[&str],
    ) -> Result<Option<LatestEvent>, sqlx::Error> {
        let row: Option<LatestEventRow> = sqlx::query_as(include_str!("newest_about.sql"))
            .bind(object.as_str())
            .bind(kinds)
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| {
            let state = InboxState::parse(&row.state);
            Ok(LatestEvent {
                event: row.event_id,
                created: row.created_at.into(),
                state: state
                    .ok_or_else(|| sqlx::Error::Decode("an inbox state has an unknown name".into()))?,
                reason: row.reason,
            })
        })
        .transpose()
    }
}
