//! How is an event written to a row, and read from it?

use sqlx::{Row, postgres::PgRow};

use crate::domain::{
    event::Event,
    ids::AccountId,
    recorded::{EventMetadata, Position, RecordedEvent, Shard},
    time::Timestamp,
};

use super::{
    merkle::{self, MerkleHash},
    unique,
    upcast::{self, UpcastError},
};

/// The one kind of aggregate.
pub const AGGREGATE_TYPE: &str = "account";

/// An event as it is sent to the database.
#[derive(Clone, Debug)]
pub struct NewRow {
    pub account: AccountId,
    pub sequence: i64,
    pub event_type: &'static str,
    pub event_version: &'static str,
    pub payload: String,
    pub metadata: String,
    pub idempotency_key: Option<String>,
    /// See [`unique::generation`].
    pub generation: Option<String>,
    pub leaf_hash: MerkleHash,
}

/// What the leaf hash of an event covers: all of its columns but for the one that follows from the payload.
#[derive(Clone, Copy, Debug)]
pub struct Hashed<'a> {
    pub shard: Shard,
    pub position: i64,
    pub account: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    pub payload: &'a str,
    pub metadata: &'a str,
    pub recorded_at: Timestamp,
    pub idempotency_key: Option<&'a str>,
}

impl Hashed<'_> {
    #[must_use]
    pub fn leaf(&self) -> MerkleHash {
        let key = self.idempotency_key.map_or_else(Vec::new, |key| [b"k", key.as_bytes()].concat());
        merkle::leaf([
            self.shard.0.to_be_bytes().as_slice(),
            &self.position.to_be_bytes(),
            AGGREGATE_TYPE.as_bytes(),
            self.account.as_bytes(),
            &self.sequence.to_be_bytes(),
            self.event_type.as_bytes(),
            self.event_version.as_bytes(),
            self.payload.as_bytes(),
            self.metadata.as_bytes(),
            &self.recorded_at.micros().to_be_bytes(),
            &key,
        ])
    }
}

impl NewRow {
    /// # Errors
    /// When the event or its metadata cannot be written as JSON, which no event's type allows.
    pub fn encode(
        recorded: &RecordedEvent,
        idempotency_key: Option<&str>,
    ) -> Result<Self, serde_json::Error> {
        let payload = serde_json::to_string(&recorded.event)?;
        let metadata = serde_json::to_string(&recorded.metadata)?;
        let event_type = recorded.event.name();
        let event_version = upcast::newest(event_type);
        let hashed = Hashed {
            shard: recorded.shard,
            position: recorded.position.0,
            account: recorded.account.as_str(),
            sequence: recorded.sequence,
            event_type,
            event_version,
            payload: &payload,
            metadata: &metadata,
            recorded_at: recorded.recorded_at,
            idempotency_key,
        };
        let leaf_hash = hashed.leaf();
        Ok(Self {
            account: recorded.account.clone(),
            sequence: recorded.sequence,
            event_type,
            event_version,
            payload,
            metadata,
            idempotency_key: idempotency_key.map(str::to_owned),
            generation: unique::generation(&recorded.event, recorded.sequence),
            leaf_hash,
        })
    }
}

/// A row of `ledger.events` that cannot be what this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        position: i64,
        #[source]
        source: UpcastError,
    },
    #[error("the metadata of the event at position {position} cannot be read")]
    Metadata {
        position: i64,
        #[source]
        source: serde_json::Error,
    },
    #[error("a column of the event is missing or of another type")]
    Column(#[from] sqlx::Error),
    #[error("the event at position {position} has an impossible account id or time")]
    Value { position: i64 },
}

/// The columns that [`decode`] reads, for a `select`.
pub const COLUMNS: &str = "e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, \
     e.payload::text as payload, e.metadata::text as metadata, e.recorded_at";

/// # Errors
/// When the row cannot be what this program wrote.
pub fn decode(row: &PgRow, shard: Shard) -> Result<RecordedEvent, RowError> {
    let position: i64 = row.try_get("position")?;
    let event = decode_event(row, position)?;
    let metadata: &str = row.try_get("metadata")?;
    let metadata: EventMetadata =
        serde_json::from_str(metadata).map_err(|source| RowError::Metadata { position, source })?;
    let account: &str = row.try_get("aggregate_id")?;
    let recorded_at: chrono::DateTime<chrono::Utc> = row.try_get("recorded_at")?;
    Ok(RecordedEvent {
        shard,
        position: Position(position),
        account: AccountId::parse(account).map_err(|_| RowError::Value { position })?,
        sequence: row.try_get("sequence")?,
        recorded_at: Timestamp::from(recorded_at),
        event,
        metadata,
    })
}

/// Only the event, for rebuilding a state.
///
/// # Errors
/// When the row cannot be what this program wrote.
pub fn decode_event(row: &PgRow, position: i64) -> Result<Event, RowError> {
    upcast::read(row.try_get("event_type")?, row.try_get("event_version")?, row.try_get("payload")?)
        .map_err(|source| RowError::Unreadable { position, source })
}
