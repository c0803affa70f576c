//! Is the chain of blocks unbroken, and are the events in it the ones that were hashed?
//!
//! The chain is followed block by block. Events are checked in sections of some blocks, several at a time.

use sqlx::{Row, postgres::PgRow};

use crate::{
    domain::recorded::Shard,
    journal::merkle::{self, Link},
};

use super::{
    finding::{AuditFinding, AuditProblem, Verification, VerifyError},
    head::ChainEnd,
    moment::JournalMoment,
    section::{Block, Section},
    work::Work,
};

/// How many blocks are read at once.
const BLOCKS_READ: i64 = 1_000;
/// A section has at least so many events, unless it is the last.
const SECTION_EVENTS: i64 = 10_000;

/// The end of a journal, as its head says.
#[derive(Debug)]
pub(super) struct JournalHead {
    pub position: i64,
    pub block: i64,
    pub hash: Vec<u8>,
}

/// # Errors
/// If the database does not answer.
pub(super) async fn read_head(moment: &JournalMoment, shard: Shard) -> Result<JournalHead, VerifyError> {
    let mut reader = moment.reader().await?;
    let row = sqlx::query(include_str!("head.sql")).bind(shard.0).fetch_one(reader.connection()?).await?;
    Ok(JournalHead {
        position: row.try_get("position")?,
        block: row.try_get("block")?,
        hash: row.try_get("hash")?,
    })
}

/// Checks the chain after `from`, and its events.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn verify(
    moment: &JournalMoment,
    shard: Shard,
    head: &JournalHead,
    from: ChainEnd,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<Verification, VerifyError> {
    let mut work = Work::new(moment, progress);
    let (mut end, mut checked_until) = (from.clone(), from.position);
    let mut blocks: Vec<Block> = Vec::new();
    loop {
        let read = read_blocks(moment, shard, end.block).await?;
        let is_last = read.is_empty();
        for block in read {
            follow(shard, &mut end, &block, &mut work.found);
            blocks.push(block);
            if end.position.saturating_sub(checked_until) >= SECTION_EVENTS {
                let section = Section {
                    shard,
                    after: checked_until,
                    until: end.position,
                    blocks: std::mem::take(&mut blocks),
                };
                checked_until = end.position;
                work.add(|reader| section.verify(reader)).await?;
            }
        }
        if is_last {
            break;
        }
    }
    // With whatever is after the last block, where nothing should be.
    let rest = Section { shard, after: checked_until, until: i64::MAX, blocks };
    work.add(|reader| rest.verify(reader)).await?;
    let mut found = work.finish().await?;
    let ends = (end.position, end.block, &end.hash);
    if ends != (head.position, head.block, &head.hash) {
        let detail = format!(
            "the head says position {} in block {}, the chain ends at position {} in block {}",
            head.position, head.block, end.position, end.block
        );
        let problem = AuditProblem::HeadChanged;
        found.find(AuditFinding { problem, shard: None, position: None, block: None, account: None, detail });
    }
    Ok(found)
}

async fn read_blocks(moment: &JournalMoment, shard: Shard, after: i64) -> Result<Vec<Block>, VerifyError> {
    let mut reader = moment.reader().await?;
    let query = sqlx::query(include_str!("blocks.sql")).bind(shard.0).bind(after).bind(BLOCKS_READ);
    let rows = query.fetch_all(reader.connection()?).await?;
    Ok(rows.iter().map(block).collect::<Result<_, _>>()?)
}

fn block(row: &PgRow) -> Result<Block, sqlx::Error> {
    Ok(Block {
        number: row.try_get("block")?,
        first: row.try_get("first_position")?,
        last: row.try_get("last_position")?,
        root: row.try_get("root")?,
        hash: row.try_get("hash")?,
    })
}

/// Checks that a block continues the one before.
fn follow(shard: Shard, end: &mut ChainEnd, block: &Block, found: &mut Verification) {
    let link = Link {
        previous: &end.hash,
        shard,
        block: block.number,
        first: block.first,
        last: block.last,
        root: &block.root,
    };
    let follows =
        block.number == end.block.saturating_add(1) && block.first == end.position.saturating_add(1);
    if !follows || merkle::chain(&link).as_slice() != block.hash {
        found.find(AuditFinding {
            problem: AuditProblem::ChainBroken,
            shard: None,
            position: Some(block.first),
            block: Some(block.number),
            account: None,
            detail: format!("block {} does not continue block {}", block.number, end.block),
        });
    }
    *end = ChainEnd { block: block.number, position: block.last, hash: block.hash.clone() };
}
