//! Was the past changed? All hashes, positions and states are computed again from the stored bytes.

use sqlx::PgPool;

use crate::domain::recorded::Shard;

use super::{
    blocks,
    finding::{AuditFinding, AuditProblem, Verification, VerifyError},
    head::{self, ChainEnd, VerifiedHead},
    moment::JournalMoment,
    states,
};

/// How much of a journal is checked, and with how many connections.
#[derive(Clone, Copy, Debug)]
pub struct AuditScope {
    /// Only what came after a head that was verified before, and the accounts that have changed since.
    pub since: Option<VerifiedHead>,
    pub connections: usize,
}

impl AuditScope {
    /// All of it, by one connection.
    pub const WHOLE: Self = Self { since: None, connections: 1 };
}

/// Checks a shard's journal: order, hashes, blocks and chain, then every account's history and snapshot.
/// `progress` gets how many of how many events have been checked. Each is checked twice: in its block, and in the
/// history of its account.
///
/// # Errors
/// If the database does not answer. Problems of the journal are findings, and not errors.
pub async fn verify_journal(
    pool: &PgPool,
    shard: Shard,
    scope: AuditScope,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, VerifyError> {
    let moment = JournalMoment::open(pool, scope.connections).await?;
    let journal = blocks::read_head(&moment, shard).await?;
    let mut lost = None;
    let from = match &scope.since {
        None => ChainEnd::default(),
        Some(since) => head::find(&moment, shard, journal.block, since).await?.unwrap_or_else(|| {
            lost = Some(not_there(since));
            ChainEnd::default()
        }),
    };
    let begun = from.position;
    let all = u64::try_from(journal.position.saturating_sub(begun)).unwrap_or(0).saturating_mul(2);
    let mut checked = 0_u64;
    let mut count = |events: u64| {
        checked = checked.saturating_add(events);
        // The histories of changed accounts are longer than what was changed.
        progress(checked, all.max(checked));
    };
    let mut found = blocks::verify(&moment, shard, &journal, from, &mut count).await?;
    let histories = states::verify(&moment, shard, begun, &mut count).await?;
    let events = found.events;
    found.add(histories);
    found.events = events;
    found.findings.extend(lost);
    found.since = begun;
    found.position = journal.position;
    found.head = hex::encode(journal.hash);
    found.findings.sort_by_key(|finding| (finding.position.unwrap_or(i64::MAX), finding.problem));
    Ok(found)
}

/// The whole journal is checked then, to say what was changed.
fn not_there(since: &VerifiedHead) -> AuditFinding {
    AuditFinding {
        problem: AuditProblem::HeadNotFound,
        position: Some(since.position),
        block: None,
        account: None,
        detail: format!(
            "the journal up to position {} is not the one that was verified before",
            since.position
        ),
    }
}
