//! Which events arrived, and what is their state?

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

use super::{Inbox, InboxState, Proof, blanked};
use crate::domain::time::Timestamp;

/// The most rows of one page.
pub const PAGE_ROWS_MAX: u32 = 500;

/// An event of the inbox, without its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxSummary {
    /// The event's place in the list. A page begins after it.
    pub arrival: i64,
    pub event_id: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub state: InboxState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub attempts: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub received_at: Timestamp,
    pub changed_at: Timestamp,
    pub livemode: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_account: Option<String>,
    /// Why it is trusted.
    pub proof: Proof,
    /// The name of the secret that verified it, if it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// An event of the inbox, with what is stored of its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    pub summary: InboxSummary,
    /// `None`: it is no longer stored.
    pub body: Option<Vec<u8>>,
}

impl InboxEntry {
    /// The document without data of people and cards, which an earlier release may have stored.
    /// `None`: there is no document.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn shown(&self) -> Result<Option<Value>, serde_json::Error> {
        self.body.as_ref().map(|body| serde_json::from_slice(&blanked(body))).transpose()
    }
}

/// Newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxPage {
    pub events: Vec<InboxSummary>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<i64>,
}

#[derive(FromRow)]
struct InboxRow {
    arrival: i64,
    event_id: String,
    event_type: String,
    state: String,
    reason: Option<String>,
    attempts: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    livemode: bool,
    api_version: Option<String>,
    connect_account: Option<String>,
    proof: String,
    secret: Option<String>,
    customer: Option<String>,
    account: Option<String>,
}

impl TryFrom<InboxRow> for InboxSummary {
    type Error = sqlx::Error;

    fn try_from(row: InboxRow) -> Result<Self, sqlx::Error> {
        let (state, proof) = (InboxState::parse(&row.state), Proof::parse(&row.proof));
        Ok(Self {
            arrival: row.arrival,
            event_id: row.event_id,
            event_type: row.event_type,
            state: state.ok_or_else(|| sqlx::Error::Decode("an inbox state has an unknown name".into()))?,
            reason: row.reason,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at.map(Timestamp::from),
            created_at: row.created_at.into(),
            received_at: row.received_at.into(),
            changed_at: row.changed_at.into(),
            livemode: row.livemode,
            api_version: row.api_version,
            connect_account: row.connect_account,
            proof: proof.ok_or_else(|| sqlx::Error::Decode("an inbox proof has an unknown name".into()))?,
            secret: row.secret,
            customer: row.customer,
            account: row.account,
        })
    }
}

impl Inbox {
    /// Events in one state, or in any, that arrived before `before`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(
        &self,
        state: Option<InboxState>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<InboxPage, sqlx::Error> {
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let (before, rows) = (before.unwrap_or(i64::MAX), i64::from(limit).saturating_add(1));
        let query = match state {
            None => sqlx::query_as(include_str!("page.sql")).bind(before).bind(rows),
            Some(state) => {
                sqlx::query_as(include_str!("page_of_state.sql")).bind(before).bind(rows).bind(state.as_str())
            }
        };
        let rows: Vec<InboxRow> = query.fetch_all(self.pool()).await?;
        let events = rows.into_iter().map(InboxSummary::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(page(events, limit))
    }

    /// One event, with its document.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn find(&self, event_id: &str) -> Result<Option<InboxEntry>, sqlx::Error> {
        let row: Option<InboxRow> =
            sqlx::query_as(include_str!("find.sql")).bind(event_id).fetch_optional(self.pool()).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let body = sqlx::query_scalar(include_str!("body.sql"));
        let body = body.bind(event_id).fetch_one(self.pool()).await?;
        Ok(Some(InboxEntry { summary: row.try_into()?, body }))
    }

    /// How many events are in each state that is not final.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn count_open(&self) -> Result<BTreeMap<InboxState, i64>, sqlx::Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(include_str!("count_open.sql"))
            .bind(InboxState::OPEN.map(InboxState::as_str))
            .fetch_all(self.pool())
            .await?;
        Ok(rows.into_iter().filter_map(|(state, count)| Some((InboxState::parse(&state)?, count))).collect())
    }
}

/// `events` has one row more than the page if there is a next page.
fn page(mut events: Vec<InboxSummary>, limit: u32) -> InboxPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| more).map(|last| last.arrival);
    InboxPage { events, next }
}
