//! How is a part of a history written? By `copy`, with the rows, hashes and blocks of the journal itself.
//!
//! This is the only place of the benchmarks that knows the columns of the journal's tables.

use counterfoil::{
    domain::{
        recorded::{Position, Shard},
        time::Timestamp,
    },
    journal::{
        merkle::{self, Link, MerkleHash},
        row::{AGGREGATE_TYPE, NewRows},
    },
    projections::rows::Rows,
};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use crate::database::Fallible;

const EVENTS: &str = "copy ledger.events (shard, position, aggregate_type, aggregate_id, sequence, event_type, \
    event_version, payload, metadata, recorded_at, key_digest, generation, leaf_hash) \
    from stdin (format binary, freeze)";
const EVENT_COLUMNS: i16 = 13;
const BLOCKS: &str = "copy ledger.blocks (shard, block, first_position, last_position, root, hash) \
    from stdin (format binary, freeze)";
const BLOCK_COLUMNS: i16 = 6;
const SHARD: Shard = Shard(0);

/// Events as they are copied, with the blocks that they are in.
pub struct Chunk {
    events: Rows,
    last: i64,
    /// First and last position, and the root.
    blocks: Vec<(i64, i64, MerkleHash)>,
}

impl Chunk {
    /// Its first event has the position after `last`.
    pub fn after(last: i64) -> Self {
        Self { events: Rows::new(EVENT_COLUMNS), last, blocks: Vec::new() }
    }

    pub fn push_block(&mut self, rows: &NewRows, recorded_at: Timestamp) {
        let first = self.last + 1;
        for index in 0..rows.len() {
            self.last += 1;
            self.events
                .begin()
                .small(SHARD.0)
                .big(self.last)
                .text(AGGREGATE_TYPE)
                .text(rows.accounts[index].as_str())
                .big(rows.sequences[index])
                .text(rows.event_types[index])
                .text(rows.event_versions[index])
                .text(&rows.payloads[index])
                .text(&rows.metadata[index])
                .time(recorded_at)
                .optional_bytes(
                    rows.key_digests[index].as_ref().map(Uuid::as_bytes).map(<[u8; 16]>::as_slice),
                )
                .optional_text(rows.generations[index].as_deref())
                .bytes(&rows.leaf_hashes[index]);
        }
        self.blocks.push((first, self.last, merkle::root(&rows.leaf_hashes)));
    }
}

/// The end of the journal, as far as it was written.
pub struct Head {
    position: Position,
    block: i64,
    hash: Vec<u8>,
}

impl Head {
    /// Empties the journal, and begins the transaction in which all is written: what is copied into tables that were
    /// emptied in the same one is frozen at once, and is not written a second and a third time later.
    pub async fn begin(connection: &mut PgConnection) -> Fallible<Self> {
        for statement in [
            "begin",
            // The journal refuses to be emptied.
            "set local session_replication_role = replica",
            "truncate ledger.events, ledger.blocks",
        ] {
            connection.execute(statement).await?;
        }
        Ok(Self { position: Position(0), block: 0, hash: Vec::new() })
    }

    /// Writes the chunk that follows.
    pub async fn write(&mut self, chunk: Chunk, connection: &mut PgConnection) -> Fallible<()> {
        let mut blocks = Rows::new(BLOCK_COLUMNS);
        for (first, last, root) in &chunk.blocks {
            if *first != self.position.0 + 1 {
                return Err("a block is missing".into());
            }
            self.block += 1;
            let link = Link {
                previous: &self.hash,
                shard: SHARD,
                block: self.block,
                first: *first,
                last: *last,
                root,
            };
            let hash = merkle::chain(&link);
            blocks.begin().small(SHARD.0).big(self.block).big(*first).big(*last).bytes(root).bytes(&hash);
            self.hash = hash.to_vec();
            self.position = Position(*last);
        }
        chunk.events.write(EVENTS, connection).await?;
        Ok(blocks.write(BLOCKS, connection).await?)
    }

    /// Makes what was written the journal.
    pub async fn set(self, connection: &mut PgConnection) -> Fallible<()> {
        sqlx::query("update ledger.heads set position = $1, block = $2, hash = $3 where shard = $4")
            .bind(self.position.0)
            .bind(self.block)
            .bind(self.hash)
            .bind(SHARD.0)
            .execute(&mut *connection)
            .await?;
        connection.execute("commit").await?;
        Ok(())
    }
}

/// The indexes of a table of the journal, which are made faster at once than row by row.
pub struct Indexes {
    table: &'static str,
    /// Statements that make them again.
    make: Vec<String>,
}

impl Indexes {
    pub async fn drop(table: &'static str, connection: &mut PgConnection) -> Fallible<Self> {
        let constraints: Vec<(String, String)> = sqlx::query_as(
            "select conname::text, pg_get_constraintdef(oid) from pg_constraint \
             where conrelid = $1::regclass and contype in ('p', 'u') order by conname",
        )
        .bind(table)
        .fetch_all(&mut *connection)
        .await?;
        let mut make = Vec::new();
        for (name, definition) in constraints {
            connection.execute(format!("alter table {table} drop constraint {name}").as_str()).await?;
            make.push(format!("alter table {table} add constraint {name} {definition}"));
        }
        let indexes: Vec<(String, String)> = sqlx::query_as(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index \
             where indrelid = $1::regclass order by 1",
        )
        .bind(table)
        .fetch_all(&mut *connection)
        .await?;
        for (name, definition) in indexes {
            connection.execute(format!("drop index {name}").as_str()).await?;
            make.push(definition);
        }
        Ok(Self { table, make })
    }

    pub async fn make(self, connection: &mut PgConnection) -> Fallible<()> {
        for statement in &self.make {
            eprintln!("  {}", statement.split(" USING ").next().unwrap_or(self.table));
            connection.execute(statement.as_str()).await?;
        }
        Ok(())
    }
}
