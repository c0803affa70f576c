//! Are the events the ones that were hashed, in the order that was chained?

use crate::domain::recorded::Shard;
use futures::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{
    domain::time::Timestamp,
    journal::{
        merkle::{self, Link, MerkleHash},
        row::{self, Hashed},
        unique,
    },
};

use super::finding::{AuditFinding, AuditProblem, Verification, VerifyError};

/// How many events are read at once.
const EVENTS_READ: i64 = 10_000;

/// The state of the check so far.
struct Walk {
    shard: Shard,
    /// The last position that was checked.
    position: i64,
    leaves: Vec<MerkleHash>,
    blocks: std::iter::Peekable<std::vec::IntoIter<Block>>,
    previous_hash: Vec<u8>,
    last_block: i64,
    last_position: i64,
    found: Verification,
}

struct Block {
    number: i64,
    first: i64,
    last: i64,
    root: Vec<u8>,
    hash: Vec<u8>,
}

pub(super) async fn verify(
    connection: &mut PgConnection,
    shard: Shard,
    progress: &mut (impl FnMut(u64, u64) + Send),
) -> Result<Verification, VerifyError> {
    let head = sqlx::query(include_str!("head.sql")).bind(shard.0).fetch_one(&mut *connection).await?;
    let (head_position, head_block): (i64, i64) = (head.try_get("position")?, head.try_get("block")?);
    let head_hash: Vec<u8> = head.try_get("hash")?;
    let mut walk = Walk {
        shard,
        position: 0,
        leaves: Vec::new(),
        blocks: read_blocks(connection, shard).await?.into_iter().peekable(),
        previous_hash: Vec::new(),
        last_block: 0,
        last_position: 0,
        found: Verification::default(),
    };
    loop {
        let read = walk.read_some(connection).await?;
        progress(walk.found.events, u64::try_from(head_position).unwrap_or(0));
        if read == 0 {
            break;
        }
    }
    walk.finish_blocks();
    let ends = (walk.last_position, walk.last_block, &walk.previous_hash);
    if ends != (head_position, head_block, &head_hash) {
        let detail = format!(
            "the head says position {head_position} in block {head_block}, the chain ends at position {} in block {}",
            walk.last_position, walk.last_block
        );
        walk.find(AuditProblem::HeadChanged, None, None, None, detail);
    }
    let mut found = walk.found;
    found.position = head_position;
    found.head = hex::encode(head_hash);
    Ok(found)
}

async fn read_blocks(connection: &mut PgConnection, shard: Shard) -> Result<Vec<Block>, sqlx::Error> {
    let rows = sqlx::query(include_str!("blocks.sql")).bind(shard.0).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Block {
                number: row.try_get("block")?,
                first: row.try_get("first_position")?,
                last: row.try_get("last_position")?,
                root: row.try_get("root")?,
                hash: row.try_get("hash")?,
            })
        })
        .collect()
}

/// Whether the column `generation` is what the event says.
/// The column is not hashed, since it follows from hashed columns.
/// Events that cannot be read are found elsewhere.
fn names_its_generation(row: &PgRow, position: i64) -> Result<bool, sqlx::Error> {
    let (stored, sequence): (Option<&str>, i64) = (row.try_get("generation")?, row.try_get("sequence")?);
    let Ok(event) = row::decode_event(row, position) else { return Ok(true) };
    let expected = unique::generation(&event, sequence);
    // If an earlier release charged a generation twice, only the first charge is the generation's own.
    let numbered =
        expected.as_deref().and_then(|text| text.strip_suffix(' ')).map(|id| format!("{id} {sequence}"));
    Ok(stored == expected.as_deref() || stored.is_some() && stored == numbered.as_deref())
}

impl Walk {
    async fn read_some(&mut self, connection: &mut PgConnection) -> Result<u64, VerifyError> {
        let query =
            sqlx::query(include_str!("events.sql")).bind(self.shard.0).bind(self.position).bind(EVENTS_READ);
        let mut rows = query.fetch(connection);
        let mut read = 0;
        while let Some(row) = rows.try_next().await? {
            self.event(&row)?;
            read += 1;
        }
        Ok(read)
    }

    fn event(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let position: i64 = row.try_get("position")?;
        let account: &str = row.try_get("aggregate_id")?;
        let expected = self.position.saturating_add(1);
        if position != expected {
            let detail = format!("there is no event at position {expected}; the next one is at {position}");
            self.find(AuditProblem::EventMissing, Some(expected), None, None, detail);
        }
        // Events up to the end of the current block belong to it, later ones to the next block.
        self.close_blocks_before(position);
        let leaf = self.leaf(row, position)?;
        let stored: &[u8] = row.try_get("leaf_hash")?;
        if leaf.as_slice() != stored {
            let detail = format!("the event at position {position} is not the one that was hashed");
            self.find(AuditProblem::EventChanged, Some(position), None, Some(account), detail);
        }
        if !names_its_generation(row, position)? {
            let detail = format!("the column `generation` at position {position} is not what the event says");
            self.find(AuditProblem::EventChanged, Some(position), None, Some(account), detail);
        }
        match self.blocks.peek() {
            Some(block) if block.first <= position => self.leaves.push(leaf),
            Some(_) | None => {
                let detail = format!("the event at position {position} is in no block");
                self.find(AuditProblem::EventOutsideBlocks, Some(position), None, Some(account), detail);
            }
        }
        self.position = position;
        self.found.events += 1;
        Ok(())
    }

    fn leaf(&self, row: &PgRow, position: i64) -> Result<MerkleHash, sqlx::Error> {
        let recorded_at: chrono::DateTime<chrono::Utc> = row.try_get("recorded_at")?;
        let hashed = Hashed {
            shard: self.shard,
            position,
            account: row.try_get("aggregate_id")?,
            sequence: row.try_get("sequence")?,
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
            recorded_at: Timestamp::from(recorded_at),
            idempotency_key: row.try_get("idempotency_key")?,
        };
        Ok(hashed.leaf())
    }

    fn close_blocks_before(&mut self, position: i64) {
        while let Some(block) = self.blocks.next_if(|block| block.last < position) {
            self.close(&block);
        }
    }

    fn finish_blocks(&mut self) {
        while let Some(block) = self.blocks.next() {
            if block.last > self.position {
                let missing = self.position.saturating_add(1).max(block.first);
                let detail = format!(
                    "block {} ends at position {}, the events at {}",
                    block.number, block.last, self.position
                );
                self.find(AuditProblem::EventMissing, Some(missing), Some(block.number), None, detail);
            }
            self.close(&block);
        }
    }

    /// Checks a block whose events have all been read, against them and against the block before.
    fn close(&mut self, block: &Block) {
        let root = merkle::root(&self.leaves);
        self.leaves.clear();
        // A wrong event also makes its block wrong, which is not reported again.
        let explained = self.found.findings.iter().filter_map(|finding| finding.position);
        let explained = explained.into_iter().any(|at| block.first <= at && at <= block.last);
        if root.as_slice() != block.root && !explained {
            let detail = format!(
                "the events at positions {} to {} do not have the root of block {}",
                block.first, block.last, block.number
            );
            self.find(AuditProblem::BlockChanged, Some(block.first), Some(block.number), None, detail);
        }
        let link = Link {
            previous: &self.previous_hash,
            shard: self.shard,
            block: block.number,
            first: block.first,
            last: block.last,
            root: &block.root,
        };
        let follows = block.number == self.last_block.saturating_add(1)
            && block.first == self.last_position.saturating_add(1);
        if !follows || merkle::chain(&link).as_slice() != block.hash {
            let detail = format!("block {} does not continue block {}", block.number, self.last_block);
            self.find(AuditProblem::ChainBroken, Some(block.first), Some(block.number), None, detail);
        }
        self.previous_hash.clone_from(&block.hash);
        self.last_block = block.number;
        self.last_position = block.last;
        self.found.blocks += 1;
    }

    /// Records only the first finding of each kind, since later ones may follow from it.
    fn find(
        &mut self,
        problem: AuditProblem,
        position: Option<i64>,
        block: Option<i64>,
        account: Option<&str>,
        detail: String,
    ) {
        if self.found.findings.iter().all(|known| known.problem != problem) {
            let account = account.map(str::to_owned);
            self.found.findings.push(AuditFinding { problem, position, block, account, detail });
        }
    }
}
