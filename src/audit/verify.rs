//! Was the past changed? All hashes, positions and states are computed again from the stored bytes.

use crate::domain::recorded::Shard;
use sqlx::PgPool;

use super::{
    blocks,
    finding::{Verification, VerifyError},
    states,
};

/// Checks a shard's whole journal: order, hashes, blocks and chain, then every account's history and snapshot.
/// `progress` gets how many of how many events have been checked.
///
/// # Errors
/// If the database does not answer. Problems of the journal are findings, and not errors.
pub async fn verify_journal(
    pool: &PgPool,
    shard: Shard,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verification, VerifyError> {
    // Everything is read as of one moment; later events are left to the next audit.
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
