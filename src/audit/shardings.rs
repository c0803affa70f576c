//! Are all shards there, and is what is kept of each growth what its new shards prove?

use std::collections::BTreeMap;

use sqlx::Row;

use crate::{
    domain::recorded::Shard,
    journal::{
        sharding::{self, EarlierEnd, StoredSharding},
        shards::{self, ShardPart, Shards},
    },
};

use super::{
    blocks::{self, JournalHead},
    finding::{AuditFinding, AuditProblem, VerifyError},
    moment::{JournalMoment, MomentReader},
};

/// A shard, and the end of its journal.
pub(super) type ShardHead = (Shard, JournalHead);

/// The shards of a journal.
pub(super) struct Layout {
    /// By shard.
    pub heads: Vec<ShardHead>,
    /// Where accounts belong. `None`: a shard is missing.
    pub shards: Option<Shards>,
    /// What the chains of shards begin with that were not there from the beginning.
    pub beginnings: BTreeMap<Shard, Vec<u8>>,
    pub findings: Vec<AuditFinding>,
}

impl Layout {
    /// # Errors
    /// If the database does not answer.
    pub async fn read(moment: &JournalMoment) -> Result<Self, VerifyError> {
        let mut reader = moment.reader().await?;
        let parts = shards::parts(reader.connection()?).await?;
        let kept = sharding::read_all(reader.connection()?).await?;
        let mut found = Vec::new();
        let mut beginnings = BTreeMap::new();
        for kept in &kept {
            found.extend(verify(kept, &parts, &beginnings, &mut reader).await?);
            let new = parts.iter().filter(|part| part.sharding == kept.sharding);
            beginnings.extend(new.map(|part| (Shard(part.shard), kept.beginning().to_vec())));
        }
        drop(reader);
        let mut findings: Vec<AuditFinding> =
            found.into_iter().map(|detail| finding(AuditProblem::ShardingChanged, detail)).collect();
        findings.truncate(1);
        let shards = Shards::of_parts(&parts, kept.into_iter().map(|kept| kept.filter).collect());
        let shards = shards.map_err(|missing| {
            findings.push(finding(AuditProblem::ShardMissing, missing.to_string()));
        });
        let mut heads = Vec::with_capacity(parts.len());
        for part in parts {
            heads.push((Shard(part.shard), blocks::read_head(moment, Shard(part.shard)).await?));
        }
        heads.sort_by_key(|(shard, _)| *shard);
        Ok(Self { heads, shards: shards.ok(), beginnings, findings })
    }
}

fn finding(problem: AuditProblem, detail: String) -> AuditFinding {
    AuditFinding { problem, shard: None, position: None, block: None, account: None, detail }
}

/// What is wrong with what is kept of a growth.
async fn verify(
    kept: &StoredSharding,
    parts: &[ShardPart],
    beginnings: &BTreeMap<Shard, Vec<u8>>,
    reader: &mut MomentReader,
) -> Result<Vec<String>, VerifyError> {
    let number = kept.sharding;
    let mut wrong = Vec::new();
    if kept.beginning().as_slice() != kept.hash {
        wrong.push(format!(
            "what is kept of sharding {number} does not have the hash that its shards begin with"
        ));
    }
    let mut earlier: Vec<Shard> =
        parts.iter().filter(|part| part.sharding < number).map(|part| Shard(part.shard)).collect();
    earlier.sort();
    if !earlier.into_iter().eq(kept.ends.iter().map(|end| end.shard)) {
        wrong.push(format!("the shards before sharding {number} are others than are kept of it"));
    }
    for end in &kept.ends {
        if !is_there(end, beginnings, reader).await? {
            wrong.push(format!(
                "shard {} did not end at position {} in block {} when sharding {number} began",
                end.shard.0, end.position, end.block
            ));
        }
    }
    let is_told = |part: &ShardPart| part.shardings > number;
    if let Some(part) = parts.iter().find(|part| !is_told(part)) {
        wrong.push(format!("the head of shard {} does not know of sharding {number}", part.shard));
    }
    Ok(wrong)
}

/// Whether a shard had this end.
async fn is_there(
    end: &EarlierEnd,
    beginnings: &BTreeMap<Shard, Vec<u8>>,
    reader: &mut MomentReader,
) -> Result<bool, VerifyError> {
    if end.block == 0 {
        return Ok(end.position == 0 && beginnings.get(&end.shard).map_or(&[][..], Vec::as_slice) == end.hash);
    }
    let row = sqlx::query(include_str!("block.sql"))
        .bind(end.shard.0)
        .bind(end.block)
        .fetch_optional(reader.connection()?)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (position, hash): (i64, Vec<u8>) = (row.try_get("last_position")?, row.try_get("hash")?);
    Ok((position, hash.as_slice()) == (end.position, end.hash.as_slice()))
}
