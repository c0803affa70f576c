//! Was the past changed? All hashes, positions and states are computed again from the stored bytes.

use sqlx::PgPool;

use crate::{
    domain::recorded::Shard,
    journal::{
        merkle::{self, MerkleHash, ShardEnd},
        shards::Shards,
    },
};

use super::{
    blocks::{self, JournalHead},
    finding::{AuditFinding, AuditProblem, Verification, VerifiedShard, VerifyError},
    head::{self, ChainEnd, VerifiedHead},
    moment::JournalMoment,
    shardings::{Layout, ShardHead},
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

    /// A head without a number is of the only shard, or of the one that was the only one before the ledger was grown.
    fn since(&self, shard: Shard, shards: Option<&Shards>) -> Option<&VerifiedHead> {
        let only = shards.and_then(Shards::only_of_the_first);
        self.since.iter().find(|head| head.shard.or(only).is_none_or(|of| of == shard))
    }
}

/// Checks a journal: that all shards are there and begin as they have to, that each account is where it is looked for,
/// and of each shard the order, hashes, blocks and chain, then every account's
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
    let Layout { heads, shards, beginnings, findings } = Layout::read(&moment).await?;
    let shards = shards.as_ref();
    let slots = heads.len();
    let chosen: Vec<ShardHead> =
        heads.into_iter().filter(|(shard, _)| scope.shard.is_none_or(|only| only == *shard)).collect();
    let all = chosen.iter().map(|(shard, head)| to_check(head, scope.since(*shard, shards))).sum();
    let mut checked = 0_u64;
    let mut count = |events: u64| {
        checked = checked.saturating_add(events);
        // The histories of changed accounts are longer than what was changed.
        progress(checked, checked.max(all));
    };
    let mut whole = Verification::default();
    whole.findings.extend(findings);
    for (shard, head) in &chosen {
        let beginning = beginnings.get(shard).cloned().unwrap_or_default();
        let part = ShardToVerify { shard: *shard, head, since: scope.since(*shard, shards), beginning };
        let mut found = part.verify(&moment, shards, &mut count).await?;
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

struct ShardToVerify<'a> {
    shard: Shard,
    head: &'a JournalHead,
    since: Option<&'a VerifiedHead>,
    /// What its chain begins with.
    beginning: Vec<u8>,
}

impl ShardToVerify<'_> {
    async fn verify(
        self,
        moment: &JournalMoment,
        shards: Option<&Shards>,
        count: &mut (impl FnMut(u64) + Send),
    ) -> Result<Verification, VerifyError> {
        let Self { shard, head: journal, since, beginning } = self;
        let mut lost = None;
        let mut from = ChainEnd { block: 0, position: 0, hash: beginning };
        if let Some(since) = since {
            match head::find(moment, shard, journal.block, since).await? {
                Some(end) => from = end,
                None => lost = Some(not_there(since)),
            }
        }
        let begun = from.position;
        let mut found = blocks::verify(moment, shard, journal, from, count).await?;
        let histories = states::verify(moment, (shard, shards), begun, count).await?;
        let events = found.events;
        found.add(histories);
        found.events = events;
        found.findings.extend(lost);
        found.since = begun;
        found.position = journal.position;
        found.findings.sort_by_key(|finding| (finding.position.unwrap_or(i64::MAX), finding.problem));
        Ok(found)
    }
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
