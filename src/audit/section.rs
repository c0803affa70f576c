//! Are the events of some blocks the ones that were hashed?

use futures::TryStreamExt;
use sqlx::{Row, postgres::PgRow};

use crate::{
    domain::{recorded::Shard, time::Timestamp},
    journal::{
        merkle::{self, MerkleHash},
        row::{AGGREGATE_TYPE, Hashed, StoredKey},
    },
};

use super::{
    finding::{AuditFinding, AuditProblem, Verification, VerifyError},
    moment::MomentReader,
};

#[derive(Debug)]
pub(super) struct Block {
    pub number: i64,
    pub first: i64,
    pub last: i64,
    pub root: Vec<u8>,
    pub hash: Vec<u8>,
}

/// Events after one position and up to another, and the blocks that they should be in.
#[derive(Debug)]
pub(super) struct Section {
    pub shard: Shard,
    pub after: i64,
    pub until: i64,
    pub blocks: Vec<Block>,
}

/// The state of the check so far.
struct Walk {
    shard: Shard,
    /// The last position that was checked.
    position: i64,
    leaves: Vec<MerkleHash>,
    blocks: std::iter::Peekable<std::vec::IntoIter<Block>>,
    found: Verification,
}

impl Section {
    /// # Errors
    /// If the database does not answer.
    pub async fn verify(self, mut reader: MomentReader) -> Result<Verification, VerifyError> {
        let Self { shard, after, until, blocks } = self;
        let mut walk = Walk {
            shard,
            position: after,
            leaves: Vec::new(),
            blocks: blocks.into_iter().peekable(),
            found: Verification::default(),
        };
        let query = sqlx::query(include_str!("events.sql")).bind(shard.0).bind(after).bind(until);
        let mut rows = query.fetch(reader.connection()?);
        while let Some(row) = rows.try_next().await? {
            walk.event(&row)?;
        }
        drop(rows);
        walk.finish_blocks();
        Ok(walk.found)
    }
}

impl Walk {
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
        let (stored, kind): (&[u8], &str) = (row.try_get("leaf_hash")?, row.try_get("aggregate_type")?);
        if leaf.as_slice() != stored || kind != AGGREGATE_TYPE {
            let detail = format!("the event at position {position} is not the one that was hashed");
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
        self.found.events = self.found.events.saturating_add(1);
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
            key: match row.try_get("key_digest")? {
                Some(digest) => Some(StoredKey::Digest(digest)),
                None => row.try_get::<Option<&str>, _>("idempotency_key")?.map(StoredKey::Text),
            },
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

    /// Checks a block whose events have all been read against them.
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
        self.found.blocks = self.found.blocks.saturating_add(1);
    }

    fn find(
        &mut self,
        problem: AuditProblem,
        position: Option<i64>,
        block: Option<i64>,
        account: Option<&str>,
        detail: String,
    ) {
        let account = account.map(str::to_owned);
        self.found.find(AuditFinding { problem, shard: None, position, block, account, detail });
    }
}
