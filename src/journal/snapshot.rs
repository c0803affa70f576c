//! What was the state of an account after an event? A snapshot is a shortcut for loading, never the truth.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool, Row};

use crate::domain::{account::Account, ids::AccountId, recorded::Shard};

use super::{loaded_account::LoadedAccount, merkle::MerkleHash};

/// The version of stored states.
/// It changes whenever the state's type changes, or a rule by which the state is computed; snapshots of other versions
/// are not used.
pub const STATE_VERSION: &str = "16";

/// An account with fewer events is read from its start.
const FIRST_EVENTS: i64 = 32;
/// The most events that have to be read after a snapshot of a usual account.
const SNAPSHOT_EVENTS: usize = 500;
/// One event pays for so many bytes of a state in memory, of which about a third is written.
const EVENT_BYTES: usize = 512;

/// Whether a snapshot is taken of an account that had `before` events and has `now`, and whose state takes about so
/// many bytes of memory: whenever there are twice as many events as at the last one, and after each 500.
/// After more if the state is large, so that the snapshots of an account, but for those at doublings, write no more
/// than its events.
///
/// Accounts are often read of which only some dozens of events are in the journal, each on another page of it.
#[must_use]
pub fn is_due(before: i64, now: i64, bytes: usize) -> bool {
    let doubled = now >= FIRST_EVENTS && before.leading_zeros() > now.leading_zeros();
    let each = i64::try_from(SNAPSHOT_EVENTS.max(bytes / EVENT_BYTES)).unwrap_or(i64::MAX);
    doubled || now / each > before / each
}

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

/// Stores states, each of another account, unless a later one of the account is stored.
///
/// # Errors
/// If the database does not answer.
pub async fn keep(pool: &PgPool, shard: Shard, accounts: &[LoadedAccount]) -> Result<(), sqlx::Error> {
    let (mut ids, mut sequences, mut tails, mut states) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for known in accounts {
        let (Some(tail), Ok(state)) = (known.tail, serde_json::to_vec(&known.state)) else { continue };
        ids.push(known.id.as_str());
        sequences.push(known.sequence());
        tails.push(tail.to_vec());
        states.push(state);
    }
    sqlx::query(include_str!("keep_snapshot.sql"))
        .bind(shard.0)
        .bind(ids)
        .bind(sequences)
        .bind(tails)
        .bind(STATE_VERSION)
        .bind(states)
        .execute(pool)
        .await?;
    Ok(())
}
