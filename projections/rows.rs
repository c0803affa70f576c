//! How are many rows written to a table at once? In the binary format of Postgres' `copy`, which needs no parsing.

use chrono::{Datelike, NaiveDate};
use sqlx::PgConnection;

use crate::domain::time::Timestamp;

/// The most bytes in one message.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Microseconds from 1970 to 2000, which Postgres counts from.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1 January of the year 1 to 2000, counted from 1.
const POSTGRES_EPOCH_DAYS: i32 = 730_120;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Rows that will be written to a table.
pub struct Rows {
    columns: i16,
    count: usize,
    bytes: Vec<u8>,
}

impl Rows {
    pub fn new(columns: i16) -> Self {
        Self { columns, count: 0, bytes: HEADER.to_vec() }
    }

    pub fn begin(&mut self) -> &mut Self {
        self.count = self.count.saturating_add(1);
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
        self
    }

    pub fn small(&mut self, value: i16) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn whole(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn big(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.field(&[u8::from(value)])
    }

    pub fn text(&mut self, value: &str) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub fn time(&mut self, value: Timestamp) -> &mut Self {
        self.big(value.micros().saturating_sub(POSTGRES_EPOCH_MICROS))
    }

    pub fn day(&mut self, value: NaiveDate) -> &mut Self {
        let days = value.num_days_from_ce().saturating_sub(POSTGRES_EPOCH_DAYS);
        self.field(&days.to_be_bytes())
    }

    pub fn optional_time(&mut self, value: Option<Timestamp>) -> &mut Self {
        match value {
            Some(value) => self.time(value),
            None => self.null(),
        }
    }

    pub fn optional_day(&mut self, value: Option<NaiveDate>) -> &mut Self {
        match value {
            Some(value) => self.day(value),
            None => self.null(),
        }
    }

    pub fn optional_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    pub fn optional_bytes(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.bytes(value),
            None => self.null(),
        }
    }

    fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.field(value)
    }

    fn field(&mut self, value: &[u8]) -> &mut Self {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    /// Writes the rows; `statement` is a `copy … from stdin (format binary)`.
    pub async fn write(mut self, statement: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.count == 0 {
            return Ok(());
        }
        self.bytes.extend_from_slice(&TRAILER);
        let mut copy = connection.copy_in_raw(statement).await?;
        for message in self.bytes.chunks(MESSAGE_BYTES_MAX) {
            copy.send(message).await?;
        }
        copy.finish().await.map(|_| ())
    }
}
