//! Was the past changed? All hashes, positions and states are computed again from the stored bytes.

use sqlx::PgPool;

use crate::{
    domain::recorded::Shard,
    journal::{
        merkle::{self, MerkleHash, ShardEnd},
        shards::{self, Shards},
    },
};

use super::{
    blocks::{self, JournalHead},
    finding::{AuditFinding, AuditProblem, Verification, VerifiedShard, VerifyError},
    head::{self, ChainEnd, VerifiedHead},
    moment::JournalMoment,
    states,
};

/// How much of a journal is checked, and with how many connections.
#[derive(Clone, Debug)]
pub struct AuditScope {
    /// Only what came after heads that were verified before, and the accounts that have changed since.
    pub since: Vec<VerifiedHead>,
    /// Only this shard.
    pub shard: Option<Shard>,
    pub connections: usize,
}

impl AuditScope {
    /// All of it, by one connection.
    pub const WHOLE: Self = Self { since: Vec::new(), shard: None, connections: 1 };

    fn since(&self, shard: Shard) -> Option<&VerifiedHead> {
        self.since.iter().find(|head| head.shard.is_none_or(|of| of == shard))
    }
}

/// A shard, and the end of its journal.
type ShardHead = (Shard, JournalHead);

/// Checks a journal: that all shards are there, and of each the order, hashes, blocks and chain, then every account's
/// history and snapshot.
/// `progress` gets how many of how many events have been checked. Each is checked twice: in its block, and in the
/// history of its account.
///
/// # Errors
/// If the database does not answer. Problems of the journal are findings, and not errors.
pub async fn verify_journal(
    pool: &PgPool,
    scope: &AuditScope,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, VerifyError> {
    let moment = JournalMoment::open(pool, scope.connections).await?;
    let (heads, missing) = read_heads(&moment).await?;
    let slots = heads.len();
    let chosen: Vec<ShardHead> =
        heads.into_iter().filter(|(shard, _)| scope.shard.is_none_or(|only| only == *shard)).collect();
    let all = chosen.iter().map(|(shard, head)| to_check(head, scope.since(*shard))).sum();
    let mut checked = 0_u64;
    let mut count = |events: u64| {
        checked = checked.saturating_add(events);
        // The histories of changed accounts are longer than what was changed.
        progress(checked, checked.max(all));
    };
    let mut whole = Verification::default();
    whole.findings.extend(missing);
    for (shard, head) in &chosen {
        let mut found = verify_shard(&moment, *shard, head, scope.since(*shard), &mut count).await?;
        if slots > 1 {
            found.findings.iter_mut().for_each(|finding| finding.shard = Some(*shard));
            let head = hex::encode(&head.hash);
            whole.shards.push(VerifiedShard { shard: *shard, position: found.position, head });
        }
        whole.add(found);
    }
    whole.head = hex::encode(root(&chosen));
    Ok(whole)
}

/// How many checks of events a shard needs.
fn to_check(head: &JournalHead, since: Option<&VerifiedHead>) -> u64 {
    let begun = since.map_or(0, |since| since.position);
    u64::try_from(head.position.saturating_sub(begun)).unwrap_or(0).saturating_mul(2)
}

/// The hash of the whole journal: with one shard, that of its last block.
fn root(shards: &[ShardHead]) -> Vec<u8> {
    if let [(_, only)] = shards {
        return only.hash.clone();
    }
    let slots = i16::try_from(shards.len()).unwrap_or(i16::MAX);
    let leaf = |(shard, head): &ShardHead| {
        let JournalHead { position, block, hash } = head;
        merkle::shard_end(&ShardEnd { slots, shard: *shard, position: *position, block: *block, hash })
    };
    let leaves: Vec<MerkleHash> = shards.iter().map(leaf).collect();
    merkle::root(&leaves).to_vec()
}

/// The heads that are there, by shard, and what is found if one is not.
async fn read_heads(moment: &JournalMoment) -> Result<(Vec<ShardHead>, Option<AuditFinding>), VerifyError> {
    let mut reader = moment.reader().await?;
    let rows = shards::parts(reader.connection()?).await?;
    drop(reader);
    let missing = Shards::of_heads(&rows).err().map(|missing| AuditFinding {
        problem: AuditProblem::ShardMissing,
        shard: None,
        position: None,
        block: None,
        account: None,
        detail: missing.to_string(),
    });
    let mut heads = Vec::with_capacity(rows.len());
    for (shard, _, _) in rows {
        heads.push((Shard(shard), blocks::read_head(moment, Shard(shard)).await?));
    }
    heads.sort_by_key(|(shard, _)| *shard);
    Ok((heads, missing))
}

async fn verify_shard(
    moment: &JournalMoment,
    shard: Shard,
    journal: &JournalHead,
    since: Option<&VerifiedHead>,
    count: &mut (impl FnMut(u64) + Send),
) -> Result<Verification, VerifyError> {
    let mut lost = None;
    let from = match since {
        None => ChainEnd::default(),
        Some(since) => head::find(moment, shard, journal.block, since).await?.unwrap_or_else(|| {
            lost = Some(not_there(since));
            ChainEnd::default()
        }),
    };
    let begun = from.position;
    let mut found = blocks::verify(moment, shard, journal, from, count).await?;
    let histories = states::verify(moment, shard, begun, count).await?;
    let events = found.events;
    found.add(histories);
    found.events = events;
    found.findings.extend(lost);
    found.since = begun;
    found.position = journal.position;
    found.findings.sort_by_key(|finding| (finding.position.unwrap_or(i64::MAX), finding.problem));
    Ok(found)
}

/// The whole journal is checked then, to say what was changed.
fn not_there(since: &VerifiedHead) -> AuditFinding {
    AuditFinding {
        problem: AuditProblem::HeadNotFound,
        shard: None,
        position: Some(since.position),
        block: None,
        account: None,
        detail: format!(
            "the journal up to position {} is not the one that was verified before",
            since.position
        ),
    }
}
