//! Did anybody change the past? Every hash, number and state again, from the stored bytes.

use crate::domain::recorded::Shard;
use sqlx::PgPool;

use super::{
    blocks,
    finding::{Verification, VerifyError},
    states,
};

/// Checks all of a shard's journal: order, hashes, blocks and chain, then every account's history and
/// snapshot. `progress` is told how many events have been checked of how many.
///
/// # Errors
/// When the database does not answer. What is wrong with the journal is no error but a finding.
pub async fn verify_journal(
    pool: &PgPool,
    shard: Shard,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, VerifyError> {
    // One moment for everything: what is appended meanwhile is left to the next audit.
    let mut transaction = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("set local statement_timeout = 0").execute(&mut *transaction).await?;
    let mut verification = blocks::verify(&mut transaction, shard, &mut progress).await?;
    states::verify(&mut transaction, shard, &mut verification).await?;
    transaction.rollback().await?;
    verification.findings.sort_by_key(|finding| (finding.position.unwrap_or(i64::MAX), finding.problem));
    Ok(verification)
}
