//! How are events decoded from Postgres' binary `copy` format?

use crate::{
    domain::{
        ids::AccountId,
        recorded::{Position, RecordedEvent, Shard},
        time::Timestamp,
    },
    journal::upcast,
};

use super::{FeedEntry, FeedError, UnreadableEvent};

/// Signature, flags, and the length of an unused extension.
const HEADER_BYTES: usize = 19;
/// Microseconds from 1970 to 2000, which Postgres counts from.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The bytes that were not decoded yet.
struct DecodeBuffer<'a>(&'a [u8]);

impl<'a> DecodeBuffer<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = i32::from_be_bytes(self.take(4)?.try_into().ok()?);
        // All columns are `not null`, so there are no negative lengths.
        self.take(usize::try_from(length).ok()?)
    }

    fn big(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.field()?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.field()?).ok()
    }
}

pub(super) fn entries(bytes: &[u8], shard: Shard) -> Result<Vec<FeedEntry>, FeedError> {
    let mut cursor = DecodeBuffer(bytes);
    cursor.take(HEADER_BYTES).ok_or(FeedError::Malformed)?;
    let mut entries = Vec::new();
    loop {
        let columns = cursor.take(2).and_then(|bytes| bytes.try_into().ok()).map(i16::from_be_bytes);
        match columns {
            Some(-1) => return Ok(entries),
            Some(_) => entries.push(entry(&mut cursor, shard).ok_or(FeedError::Malformed)?),
            None => return Err(FeedError::Malformed),
        }
    }
}

/// `None`: the row has another form. If only the contents of its columns are wrong, the entry says so.
fn entry(cursor: &mut DecodeBuffer<'_>, shard: Shard) -> Option<FeedEntry> {
    let position = Position(cursor.big()?);
    let account = cursor.text()?;
    let sequence = cursor.big()?;
    let recorded_at = cursor.big()?;
    let (event_type, event_version, payload) = (cursor.text()?, cursor.text()?, cursor.text()?);
    let metadata = cursor.field()?;
    let read = || -> Result<RecordedEvent, String> {
        let micros = recorded_at.checked_add(POSTGRES_EPOCH_MICROS);
        Ok(RecordedEvent {
            shard,
            position,
            account: AccountId::parse(account).map_err(|error| error.to_string())?,
            sequence,
            recorded_at: micros.and_then(Timestamp::from_micros).ok_or("its time is out of range")?,
            event: upcast::read(event_type, event_version, payload).map_err(|error| with_causes(&error))?,
            metadata: serde_json::from_slice(metadata).map_err(|error| format!("its metadata: {error}"))?,
        })
    };
    Some(match read() {
        Ok(recorded) => FeedEntry::Readable(Box::new(recorded)),
        Err(reason) => {
            let account = account.to_owned();
            FeedEntry::Unreadable(Box::new(UnreadableEvent { position, account, sequence, reason }))
        }
    })
}

fn with_causes(error: &upcast::UpcastError) -> String {
    match error {
        upcast::UpcastError::Payload { event_type: _, source } => format!("{error}: {source}"),
        upcast::UpcastError::UnknownVersion { .. } => error.to_string(),
    }
}
