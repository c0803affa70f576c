//! How is a batch stored in the journal, or those of several shards, all or nothing, in one round trip?

use sqlx::{
    PgConnection, Postgres,
    postgres::{PgArguments, PgDatabaseError},
    query::QueryScalar,
};

use crate::domain::{
    ids::AccountId,
    recorded::{Position, Shard},
    time::Timestamp,
};

use super::{
    merkle::{self, MerkleHash},
    row::NewRows,
};

/// The error code of `ledger.append` if another writer has appended since.
const STALE: &str = "CF001";
/// The error code of `ledger.append` if the caller does not know how many shardings there are.
const GROWN: &str = "CF003";
const UNIQUE_VIOLATION: &str = "23505";

/// Why a batch was not appended, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer has appended, so the state that the batch was decided on may have changed. Nothing was stored.
    #[error("another writer appended to the journal since the batch was decided")]
    Stale,
    /// Another program has grown the ledger, so the account may be in another shard. Nothing was stored, and nothing
    /// will be until the shards are read again.
    #[error("another program has grown the ledger")]
    Grown,
    /// An idempotency key, a generation or a sequence of an account is taken. Nothing was stored.
    #[error("a key, a generation or a place in a stream is taken")]
    Taken,
    /// The database refused it for another reason. Nothing was stored.
    #[error("the database refused the batch")]
    Refused(#[source] sqlx::Error),
    /// The connection broke, so the batch may be stored, now or later.
    #[error("the connection to the database broke during an append")]
    Unknown(#[source] sqlx::Error),
}

impl From<sqlx::Error> for AppendError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|database| database.try_downcast_ref::<PgDatabaseError>())
            .map(|database| database.code().to_owned());
        match code.as_deref() {
            Some(STALE) => Self::Stale,
            Some(GROWN) => Self::Grown,
            Some(UNIQUE_VIOLATION) => Self::Taken,
            Some(_) | None if is_broken(&error) => Self::Unknown(error),
            Some(_) | None => Self::Refused(error),
        }
    }
}

/// Whether an error means that the connection broke, so that it is not known what the database has done.
#[must_use]
pub fn is_broken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_none_or(|database| {
        // 57P01 to 57P03 and class 08: the server is going away, possibly after the commit.
        database.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
    })
}

/// Rows to append to a shard, as one block.
#[derive(Clone, Copy, Debug)]
pub struct NewBlock<'a> {
    pub shard: Shard,
    /// How many shardings the journal has, as the caller knows.
    pub shardings: i16,
    /// The position at which the shard must end.
    pub expected: Position,
    pub recorded_at: Timestamp,
    pub rows: &'a NewRows,
}

/// Appends one block, and returns the position of its last event.
///
/// # Errors
/// See [`AppendError`]: in every case but `Unknown`, nothing was stored.
pub async fn append(connection: &mut PgConnection, block: NewBlock<'_>) -> Result<Position, AppendError> {
    let last: i64 =
        block.bind_to(sqlx::query_scalar(include_str!("append.sql"))).fetch_one(connection).await?;
    Ok(Position(last))
}

/// Appends the blocks of several shards in one round trip and one commit: all of them or none.
/// Returns the position of each one's last event.
///
/// The blocks have to be in the order of shards, so that two writers cannot wait for each other.
///
/// # Errors
/// As [`append`].
pub async fn append_all(
    connection: &mut PgConnection,
    blocks: &[NewBlock<'_>],
) -> Result<Vec<Position>, AppendError> {
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    let last: Vec<i64> =
        bind_all(sqlx::query_scalar(include_str!("append_blocks.sql")), blocks).fetch_one(connection).await?;
    Ok(last.into_iter().map(Position).collect())
}

type AppendQuery<'q, O> = QueryScalar<'q, Postgres, O, PgArguments>;

impl<'q> NewBlock<'q> {
    fn bind_to<O>(&self, query: AppendQuery<'q, O>) -> AppendQuery<'q, O> {
        let rows = self.rows;
        query
            .bind(self.shard.0)
            .bind(self.expected.0)
            .bind(merkle::root(&rows.leaf_hashes).to_vec())
            .bind(self.recorded_at.to_utc())
            .bind(rows.accounts.iter().map(AccountId::as_str).collect::<Vec<_>>())
            .bind(rows.sequences.as_slice())
            .bind(rows.event_types.as_slice())
            .bind(rows.event_versions.as_slice())
            .bind(rows.payloads.as_slice())
            .bind(rows.metadata.as_slice())
            .bind(rows.key_digests.as_slice())
            .bind(rows.generations.as_slice())
            .bind(rows.leaf_hashes.iter().map(MerkleHash::as_slice).collect::<Vec<_>>())
            .bind(self.shardings)
    }
}

/// The blocks, and the events of all of them in one list with the number of each block's first one, from 1.
fn bind_all<'q, O>(query: AppendQuery<'q, O>, blocks: &[NewBlock<'q>]) -> AppendQuery<'q, O> {
    let mut begins = Vec::with_capacity(blocks.len());
    let mut next = 1_i64;
    for block in blocks {
        begins.push(next);
        next = next.saturating_add(i64::try_from(block.rows.sequences.len()).unwrap_or(i64::MAX));
    }
    let rows = || blocks.iter().map(|block| block.rows);
    query
        .bind(blocks.iter().map(|block| block.shard.0).collect::<Vec<_>>())
        .bind(blocks.iter().map(|block| block.expected.0).collect::<Vec<_>>())
        .bind(rows().map(|rows| merkle::root(&rows.leaf_hashes).to_vec()).collect::<Vec<_>>())
        .bind(blocks.iter().map(|block| block.recorded_at.to_utc()).collect::<Vec<_>>())
        .bind(begins)
        .bind(rows().flat_map(|rows| &rows.accounts).map(AccountId::as_str).collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.sequences).copied().collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.event_types).copied().collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.event_versions).copied().collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.payloads).map(String::as_str).collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.metadata).map(String::as_str).collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.key_digests).copied().collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.generations).map(Option::as_deref).collect::<Vec<_>>())
        .bind(rows().flat_map(|rows| &rows.leaf_hashes).map(MerkleHash::as_slice).collect::<Vec<_>>())
        // The shards of a process know the same; if they do not, the one that knows less decides.
        .bind(blocks.iter().map(|block| block.shardings).min())
}

/// Locks the shard's head until the transaction ends, and returns its position.
///
/// # Errors
/// If the database does not answer.
pub async fn lock_head(connection: &mut PgConnection, shard: Shard) -> Result<Position, sqlx::Error> {
    let head: i64 =
        sqlx::query_scalar(include_str!("lock_head.sql")).bind(shard.0).fetch_one(connection).await?;
    Ok(Position(head))
}

/// The position of the shard's last event.
///
/// # Errors
/// If the database does not answer.
pub async fn head(connection: &mut PgConnection, shard: Shard) -> Result<Position, sqlx::Error> {
    let head: i64 = sqlx::query_scalar(include_str!("head.sql")).bind(shard.0).fetch_one(connection).await?;
    Ok(Position(head))
}
