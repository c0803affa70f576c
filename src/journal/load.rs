//! What is the state of an account? It is built from a snapshot, or from the state in memory, and the later events.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::domain::{account::CorruptHistory, ids::AccountId, recorded::Shard};

pub use super::loaded_account::LoadedAccount;
use super::{
    merkle::MerkleHash,
    row::{self, RowError},
    snapshot,
};

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("an event cannot be read")]
    Row(#[from] RowError),
    #[error("event {sequence} of account {account} does not follow its history")]
    Corrupt {
        account: AccountId,
        sequence: i64,
        #[source]
        source: CorruptHistory,
    },
}

/// Loads accounts, all in two queries.
///
/// # Errors
/// If the database does not answer, or the rules cannot have written a history.
pub async fn load(
    connection: &mut PgConnection,
    shard: Shard,
    ids: &[AccountId],
) -> Result<Vec<LoadedAccount>, LoadError> {
    let mut snapshots = snapshot::find(connection, shard, ids).await?;
    let known =
        ids.iter().map(|id| snapshots.remove(id).unwrap_or_else(|| LoadedAccount::nothing(id.clone())));
    advance(connection, shard, known.collect()).await
}

/// Brings accounts up to date. One whose state is not based on the journal is read from its start.
///
/// # Errors
/// If the database does not answer, or the rules cannot have written a history.
pub async fn advance(
    connection: &mut PgConnection,
    shard: Shard,
    known: Vec<LoadedAccount>,
) -> Result<Vec<LoadedAccount>, LoadError> {
    let (mut current, elsewhere) = read_on(connection, shard, known).await?;
    if !elsewhere.is_empty() {
        let afresh = elsewhere.into_iter().map(LoadedAccount::nothing).collect();
        let (again, _) = read_on(connection, shard, afresh).await?;
        current.extend(again);
    }
    Ok(current)
}

/// Returns the accounts with their later events, and separately those whose last known event is not in the journal.
async fn read_on(
    connection: &mut PgConnection,
    shard: Shard,
    known: Vec<LoadedAccount>,
) -> Result<(Vec<LoadedAccount>, Vec<AccountId>), LoadError> {
    let ids: Vec<String> = known.iter().map(|known| known.id.as_str().to_owned()).collect();
    // The last known event is read again, to check that the journal has the same one.
    let from: Vec<i64> = known.iter().map(LoadedAccount::sequence).collect();
    let mut reading = AccountReading::new(known);
    let mut rows =
        sqlx::query(include_str!("read_on.sql")).bind(shard.0).bind(ids).bind(from).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        reading.take(&row)?;
    }
    Ok(reading.finish())
}

struct AccountReading {
    known: BTreeMap<String, (LoadedAccount, bool)>,
}

impl AccountReading {
    fn new(known: Vec<LoadedAccount>) -> Self {
        // An account without events is always based on the journal.
        let entry =
            |known: LoadedAccount| (known.id.as_str().to_owned(), (known.clone(), known.tail.is_none()));
        Self { known: known.into_iter().map(entry).collect() }
    }

    fn take(&mut self, row: &PgRow) -> Result<(), LoadError> {
        let id: &str = row.try_get("aggregate_id")?;
        let Some((known, confirmed)) = self.known.get_mut(id) else {
            return Ok(());
        };
        let sequence: i64 = row.try_get("sequence")?;
        let tail: &[u8] = row.try_get("leaf_hash")?;
        if sequence == known.sequence() && !*confirmed {
            *confirmed = known.tail.as_ref().is_some_and(|known| known == tail);
            return Ok(());
        }
        if !*confirmed {
            return Ok(());
        }
        let event = row::decode_event(row, row.try_get("position")?)?;
        let applied = if sequence == known.sequence().saturating_add(1) {
            known.state.apply(&event)
        } else {
            Err(CorruptHistory)
        };
        applied.map_err(|source| LoadError::Corrupt { account: known.id.clone(), sequence, source })?;
        known.tail = MerkleHash::try_from(tail).ok();
        Ok(())
    }

    fn finish(self) -> (Vec<LoadedAccount>, Vec<AccountId>) {
        let (confirmed, elsewhere): (Vec<_>, Vec<_>) =
            self.known.into_values().partition(|(_, confirmed)| *confirmed);
        (
            confirmed.into_iter().map(|(known, _)| known).collect(),
            elsewhere.into_iter().map(|(known, _)| known.id).collect(),
        )
    }
}
