//! What was the state of an account after an event? A snapshot is a shortcut for loading, never the truth.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool, Row};

use crate::domain::{account::Account, ids::AccountId, recorded::Shard};

use super::{loaded_account::LoadedAccount, merkle::MerkleHash};

/// The version of stored states.
/// It changes whenever the state's type changes, or a rule by which the state is computed; snapshots of other versions
/// are not used.
pub const STATE_VERSION: &str = "15";

/// After how many events since the last snapshot a new one is taken.
pub const SNAPSHOT_EVENTS: i64 = 500;

/// # Errors
/// If the database does not answer.
pub async fn find(
    connection: &mut PgConnection,
    shard: Shard,
    ids: &[AccountId],
) -> Result<BTreeMap<AccountId, LoadedAccount>, sqlx::Error> {
    let ids: Vec<&str> = ids.iter().map(AccountId::as_str).collect();
    let rows = sqlx::query(include_str!("find_snapshots.sql"))
        .bind(shard.0)
        .bind(ids)
        .bind(STATE_VERSION)
        .fetch_all(connection)
        .await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let id = AccountId::parse(row.try_get("aggregate_id")?).ok();
        let tail = MerkleHash::try_from(row.try_get::<&[u8], _>("leaf_hash")?).ok();
        let state = serde_json::from_slice::<Account>(row.try_get("state")?).ok();
        if let (Some(id), Some(tail), Some(state)) = (id, tail, state) {
            found.insert(id.clone(), LoadedAccount { id, state, tail: Some(tail) });
        }
    }
    Ok(found)
}

/// Stores a state, unless a later one of the account is stored.
///
/// # Errors
/// If the database does not answer.
pub async fn keep(pool: &PgPool, shard: Shard, known: &LoadedAccount) -> Result<(), sqlx::Error> {
    let (Some(tail), Ok(state)) = (known.tail, serde_json::to_vec(&known.state)) else {
        return Ok(());
    };
    sqlx::query(include_str!("keep_snapshot.sql"))
        .bind(shard.0)
        .bind(known.id.as_str())
        .bind(known.sequence())
        .bind(tail.as_slice())
        .bind(STATE_VERSION)
        .bind(state)
        .execute(pool)
        .await?;
    Ok(())
}
