//! How fast are rows inserted in batches from one connection, into a table with the journal's columns, keys and sizes?
//!
//! Only Postgres should be the limit: another task prepares the rows in advance, and nothing is hashed, ordered, locked
//! or compared.

use std::time::{Duration, Instant};

use counterfoil::load::{Histogram, Random};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use tokio::sync::mpsc;

use crate::database::{self, Fallible};
use crate::report::{Figure, name};

const ACCOUNTS: u64 = 10_000;
/// How many batches are prepared in advance, so that this never delays the next batch.
const BATCHES_AHEAD: usize = 4;

const TABLE: &str = "
create table events (
    shard smallint not null,
    position bigint not null,
    aggregate_type text not null,
    aggregate_id text not null,
    sequence bigint not null,
    event_type text not null,
    event_version text not null,
    payload json not null,
    metadata json not null,
    recorded_at timestamptz not null,
    idempotency_key text,
    leaf_hash bytea not null,
    primary key (shard, position),
    unique (shard, aggregate_id, sequence)
);
create unique index on events (shard, aggregate_id, idempotency_key) where idempotency_key is not null";

const INSERT: &str = "
insert into events
select 0, position, 'account', aggregate_id, sequence, 'CreditsDeducted', '1.0', payload::json, metadata::json, now(), key, leaf_hash
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[])
    as row (position, aggregate_id, sequence, payload, metadata, key, leaf_hash)";

pub struct BatchedInsertBench {
    options: PgConnectOptions,
}

impl BatchedInsertBench {
    pub async fn prepare(server: &PgConnectOptions) -> Fallible<Self> {
        let options = database::create(server, "bench_batched_insert").await?;
        let mut connection = PgConnection::connect_with(&options).await?;
        connection.execute(TABLE).await?;
        connection.close().await?;
        Ok(Self { options })
    }
}

pub async fn rows_100(bench: &BatchedInsertBench, duration: Duration) -> Fallible<Figure> {
    insert_batches(name::BATCHED_INSERT_100, 100, bench, duration).await
}

pub async fn rows_1000(bench: &BatchedInsertBench, duration: Duration) -> Fallible<Figure> {
    insert_batches(name::BATCHED_INSERT_1000, 1000, bench, duration).await
}

async fn insert_batches(
    name: &'static str,
    rows: usize,
    bench: &BatchedInsertBench,
    duration: Duration,
) -> Fallible<Figure> {
    let mut connection = PgConnection::connect_with(&bench.options).await?;
    connection.execute("truncate events").await?;
    let mut batches = make_batches(rows);
    let mut latencies = Histogram::default();
    let mut inserted = 0;
    let started = Instant::now();
    while started.elapsed() < duration {
        let batch = batches.recv().await.ok_or("no more batches are made")?;
        let sent = Instant::now();
        inserted += batch.insert(&mut connection).await?;
        latencies.record(sent.elapsed());
    }
    let elapsed = started.elapsed();
    connection.close().await?;
    Ok(Figure::new(name, inserted, elapsed, &latencies))
}

/// Prepares batches of this many rows until they are no longer needed.
fn make_batches(rows: usize) -> mpsc::Receiver<Batch> {
    let (made, taken) = mpsc::channel(BATCHES_AHEAD);
    let mut maker = Maker::new();
    tokio::spawn(async move { while made.send(maker.batch(rows)).await.is_ok() {} });
    taken
}

/// Rows, by column.
#[derive(Debug, Default)]
struct Batch {
    positions: Vec<i64>,
    accounts: Vec<String>,
    sequences: Vec<i64>,
    payloads: Vec<String>,
    metadata: Vec<String>,
    keys: Vec<String>,
    hashes: Vec<Vec<u8>>,
}

impl Batch {
    async fn insert(&self, connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
        let done = sqlx::query(INSERT)
            .bind(&self.positions)
            .bind(&self.accounts)
            .bind(&self.sequences)
            .bind(&self.payloads)
            .bind(&self.metadata)
            .bind(&self.keys)
            .bind(&self.hashes)
            .execute(connection)
            .await?;
        Ok(done.rows_affected())
    }
}

/// Prepares rows like those of single deductions from random accounts.
struct Maker {
    random: Random,
    position: i64,
    /// The last sequence of each account.
    sequences: Vec<i64>,
}

impl Maker {
    fn new() -> Self {
        Self { random: Random::from_clock(), position: 0, sequences: vec![0; ACCOUNTS as usize] }
    }

    fn batch(&mut self, rows: usize) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..rows {
            self.add_row(&mut batch);
        }
        batch
    }

    fn add_row(&mut self, batch: &mut Batch) {
        let account = self.random.below(ACCOUNTS);
        let sequence = &mut self.sequences[account as usize];
        *sequence += 1;
        self.position += 1;
        let (event, command) = (self.unique_id(), self.unique_id());
        let key = format!("{:016x}-{:015}", self.random.next_u64(), self.position);
        batch.payloads.push(payload(&command));
        batch.metadata.push(metadata(&event, &command, &key));
        batch.hashes.push((0..4).flat_map(|_| self.random.next_u64().to_be_bytes()).collect());
        batch.positions.push(self.position);
        batch.sequences.push(self.sequences[account as usize]);
        batch.accounts.push(format!("account-{account:07}"));
        batch.keys.push(key);
    }

    /// As long and as random as a UUID.
    fn unique_id(&mut self) -> String {
        uuid::Uuid::from_u64_pair(self.random.next_u64(), self.random.next_u64()).to_string()
    }
}

/// About 150 bytes.
fn payload(grant: &str) -> String {
    format!(
        r#"{{"amount":1,"draws":[{{"grant_id":"{grant}","amount":1}}],"available":99999,"effective_at":"2025-09-02T10:00:00.000000Z"}}"#
    )
}

/// About 250 bytes.
fn metadata(event: &str, command: &str, key: &str) -> String {
    format!(
        r#"{{"event_id":"{event}","command_id":"{command}","idempotency_key":"{key}","actor":"key:cf_live_1a2b3c4d","source":"api","request_hash":"9f86d081884c7d659a2feaa0c55ad015"}}"#
    )
}
