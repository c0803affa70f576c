//! Does a decision that stores nothing still hold?
//! Events are protected by the journal's constraints, but a refusal has to be checked.

use sqlx::PgConnection;

use crate::domain::{ids::AccountId, recorded::Shard};

use super::unique::{Unique, columns};

/// What a decision without events depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    pub account: AccountId,
    /// The sequence of the account's last event. `None`: it need not be checked.
    pub sequence: Option<i64>,
    /// A key or generation that no event may have. `None`: it need not be checked.
    pub free: Option<Unique>,
}

/// The indexes of preconditions that do not hold: another writer has changed the account, or the key or generation is
/// taken.
///
/// # Errors
/// If the database does not answer.
pub async fn find_outdated(
    connection: &mut PgConnection,
    shard: Shard,
    claims: &[Precondition],
) -> Result<Vec<usize>, sqlx::Error> {
    let query = include_str!("outdated.sql");
    let (keys, generations) = columns(claims.iter().map(|claim| (&claim.account, claim.free.as_ref())));
    let numbers: Vec<i64> = sqlx::query_scalar(query)
        .bind(shard.0)
        .bind(claims.iter().map(|claim| claim.account.as_str()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.sequence).collect::<Vec<_>>())
        .bind(keys)
        .bind(generations)
        .fetch_all(connection)
        .await?;
    Ok(numbers.into_iter().filter_map(|number| usize::try_from(number).ok()?.checked_sub(1)).collect())
}
