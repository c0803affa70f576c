//! How is an event written to a row, and read from it?

use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

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

/// The type of all aggregates.
pub const AGGREGATE_TYPE: &str = "account";

/// The events of a batch in order, as the columns that are sent to the database.
#[derive(Clone, Debug, Default)]
pub struct NewRows {
    pub accounts: Vec<AccountId>,
    pub sequences: Vec<i64>,
    pub event_types: Vec<&'static str>,
    pub event_versions: Vec<&'static str>,
    pub payloads: Vec<String>,
    pub metadata: Vec<String>,
    /// Of the first event of each command that has a key. See [`unique::key_digest`].
    pub key_digests: Vec<Option<Uuid>>,
    /// See [`unique::generation`].
    pub generations: Vec<Option<String>>,
    pub leaf_hashes: Vec<MerkleHash>,
}

/// What the leaf hash of an event covers: all columns except the one that follows from the payload.
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
    pub key: Option<StoredKey<'a>>,
}

/// The idempotency key of a command, as its first event has it.
#[derive(Clone, Copy, Debug)]
pub enum StoredKey<'a> {
    Digest(Uuid),
    /// The key itself, which earlier releases stored.
    Text(&'a str),
}

impl Hashed<'_> {
    #[must_use]
    pub fn leaf(&self) -> MerkleHash {
        let key = match self.key {
            None => Vec::new(),
            Some(StoredKey::Digest(digest)) => [b"d", digest.as_bytes().as_slice()].concat(),
            Some(StoredKey::Text(key)) => [b"k", key.as_bytes()].concat(),
        };
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

impl NewRows {
    /// Adds an event, and returns its leaf hash. After an error, nothing was added.
    ///
    /// # Errors
    /// If the event or its metadata cannot be written as JSON, which no event's type allows.
    pub fn push(
        &mut self,
        recorded: &RecordedEvent,
        idempotency_key: Option<&str>,
    ) -> Result<MerkleHash, serde_json::Error> {
        let payload = serde_json::to_string(&recorded.event)?;
        let metadata = serde_json::to_string(&recorded.metadata)?;
        let event_type = recorded.event.name();
        let event_version = upcast::newest(event_type);
        let key_digest = idempotency_key.map(|key| unique::key_digest(&recorded.account, key));
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
            key: key_digest.map(StoredKey::Digest),
        };
        let leaf_hash = hashed.leaf();
        self.accounts.push(recorded.account.clone());
        self.sequences.push(recorded.sequence);
        self.event_types.push(event_type);
        self.event_versions.push(event_version);
        self.payloads.push(payload);
        self.metadata.push(metadata);
        self.key_digests.push(key_digest);
        self.generations.push(unique::generation(&recorded.event, recorded.sequence));
        self.leaf_hashes.push(leaf_hash);
        Ok(leaf_hash)
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.leaf_hashes.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.leaf_hashes.is_empty()
    }

    /// Keeps only the first `len` rows.
    pub fn truncate(&mut self, len: usize) {
        self.accounts.truncate(len);
        self.sequences.truncate(len);
        self.event_types.truncate(len);
        self.event_versions.truncate(len);
        self.payloads.truncate(len);
        self.metadata.truncate(len);
        self.key_digests.truncate(len);
        self.generations.truncate(len);
        self.leaf_hashes.truncate(len);
    }

    /// The leaf hash of the account's last event in these rows.
    #[must_use]
    pub fn last_leaf_of(&self, account: &AccountId) -> Option<MerkleHash> {
        let last = self.accounts.iter().rposition(|of| of == account)?;
        self.leaf_hashes.get(last).copied()
    }
}

/// A row of `ledger.events` that this program cannot have written.
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

/// # Errors
/// If this program cannot have written the row.
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

/// Decodes only the event, to rebuild a state.
///
/// # Errors
/// If this program cannot have written the row.
pub fn decode_event(row: &PgRow, position: i64) -> Result<Event, RowError> {
    upcast::read(row.try_get("event_type")?, row.try_get("event_version")?, row.try_get("payload")?)
        .map_err(|source| RowError::Unreadable { position, source })
}
