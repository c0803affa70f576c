//! How is a ledger grown? It begins another sharding, in one transaction, while programs go on to append.
//!
//! Which accounts are there is read before, outside of any lock. The transaction then locks all heads, adds the
//! accounts that were opened meanwhile, and tells each head that there is one more sharding: whoever does not know it
//! cannot append any more.

use sqlx::{Connection, PgConnection, PgPool, postgres::PgDatabaseError};

use crate::domain::{
    recorded::{JournalPosition, JournalPositions, Position, Shard},
    time::Timestamp,
};

use super::{
    earlier_accounts::{AccountDigest, EarlierAccounts},
    find,
    sharding::{EarlierEnd, StoredSharding},
    shards::{self, Shards},
};

/// The most shards that a journal has, with all shardings.
pub const SHARDS_MAX: usize = 1_024;
/// How many accounts are read at once.
const ACCOUNTS_READ: i64 = 10_000;
/// How often the accounts that were opened meanwhile are read before the heads are locked, so that few are left.
const ROUNDS: u32 = 3;
/// Commands wait while a growth waits or does nothing.
const WAITS: &str = "set local lock_timeout = '2s'; set local idle_in_transaction_session_timeout = '3s'";
/// A filter is stored in pieces of so many bytes.
const PIECE_BYTES: usize = 8 << 20;

/// The ledger was not grown.
#[derive(Debug, thiserror::Error)]
pub enum GrowError {
    #[error("new accounts are spread over 2, 4, 8 … or 1024 shards, and not over {0}")]
    NotAPower(u16),
    #[error("new accounts are spread over {now} shards already, and {asked} are not more")]
    NotMore { asked: u16, now: u32 },
    #[error(
        "the journal has {now} shards, and {asked} more are too many: it has at most {SHARDS_MAX}, with those of \
         accounts that were opened before"
    )]
    TooMany { asked: u16, now: usize },
    #[error("another program has grown the ledger meanwhile")]
    Meanwhile,
    #[error(
        "another session holds a shard or shows a read model, and growing waits no longer for it, since commands wait \
         meanwhile; nothing was changed, try again"
    )]
    Held(#[source] sqlx::Error),
    #[error("this login may not grow the ledger; use the one that migrates the database")]
    NotAllowed(#[source] sqlx::Error),
    #[error("the database does not answer")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for GrowError {
    fn from(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        let code =
            database.and_then(|error| error.try_downcast_ref::<PgDatabaseError>()).map(PgDatabaseError::code);
        match code {
            // insufficient_privilege
            Some("42501") => Self::NotAllowed(error),
            // lock_not_available
            Some("55P03") => Self::Held(error),
            _ => Self::Database(error),
        }
    }
}

/// What a growth has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    pub sharding: i16,
    /// The new shards, by part of the accounts.
    pub shards: Vec<Shard>,
    /// How many accounts stay in earlier shards.
    pub accounts: u64,
}

/// The accounts that were read so far, and up to where.
struct KnownAccounts {
    digests: Vec<AccountDigest>,
    read_until: JournalPositions,
}

/// Begins a sharding of `slots` new shards, for all accounts that were not opened yet.
/// `progress` gets how many accounts have been read.
///
/// # Errors
/// If the number is refused, another program is faster, or the database does not answer. Nothing is changed then.
pub async fn grow(
    pool: &PgPool,
    slots: u16,
    at: Timestamp,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Growth, GrowError> {
    let mut connection = pool.acquire().await?;
    let known = Shards::read(&mut connection).await?;
    let slots = check(slots, &known)?;
    let mut accounts = read_accounts(&mut connection, &known, &mut progress).await?;
    for _ in 1..ROUNDS {
        read_later(&mut connection, &mut accounts, None).await?;
        progress(length(&accounts.digests));
    }
    // Those that were opened while all were read may have been read twice.
    accounts.digests.sort_unstable();
    accounts.digests.dedup();
    let room = length(&accounts.digests);
    // With some room for those that are opened until the heads are locked.
    let mut filter = EarlierAccounts::with_room_for(room.saturating_add(room / 64).saturating_add(1_024));
    accounts.digests.drain(..).for_each(|account| filter.insert(account));

    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(WAITS).execute(&mut *transaction).await?;
    // Who shows readers another version of a read model has it made of all shards: either of those of now, and then
    // the growth waits for it, or it sees the new ones.
    sqlx::query(include_str!("hold_read_models.sql")).execute(&mut *transaction).await?;
    // The program's own role may not.
    sqlx::raw_sql("set local role none").execute(&mut *transaction).await?;
    let sharding = known.shardings();
    let ends = lock_heads(&mut transaction, &known, sharding).await?;
    read_later(&mut transaction, &mut accounts, Some(&ends)).await?;
    accounts.digests.drain(..).for_each(|account| filter.insert(account));
    let kept = StoredSharding { sharding, slots, filter, ends, hash: Vec::new() };
    let shards = store(&mut transaction, &kept, at).await?;
    transaction.commit().await?;
    Ok(Growth { sharding, shards, accounts: kept.filter.accounts() })
}

fn check(asked: u16, known: &Shards) -> Result<i16, GrowError> {
    let now = known.iter().len();
    let slots = require_power(asked)?;
    if u32::from(asked) <= known.newest_slots() {
        return Err(GrowError::NotMore { asked, now: known.newest_slots() });
    }
    if now.saturating_add(usize::from(asked)) > SHARDS_MAX {
        return Err(GrowError::TooMany { asked, now });
    }
    Ok(slots)
}

/// # Errors
/// If no ledger can have so many shards for its accounts.
pub fn require_power(asked: u16) -> Result<i16, GrowError> {
    let slots = i16::try_from(asked).ok().filter(|slots| *slots > 1 && asked.is_power_of_two());
    slots.filter(|_| usize::from(asked) <= SHARDS_MAX).ok_or(GrowError::NotAPower(asked))
}

/// All accounts, in the order of their ids.
async fn read_accounts(
    connection: &mut PgConnection,
    known: &Shards,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<KnownAccounts, sqlx::Error> {
    let read_until = shards::heads(connection).await?;
    let mut digests = Vec::new();
    for shard in known.iter() {
        let mut after = String::new();
        loop {
            let ids = find::accounts(connection, shard, &after, ACCOUNTS_READ).await?;
            digests.extend(ids.iter().map(|id| AccountDigest::of_text(id)));
            progress(length(&digests));
            let Some(last) = ids.into_iter().next_back() else { break };
            after = last;
        }
    }
    Ok(KnownAccounts { digests, read_until })
}

/// Those that were opened since.
async fn read_later(
    connection: &mut PgConnection,
    accounts: &mut KnownAccounts,
    locked: Option<&[EarlierEnd]>,
) -> Result<(), sqlx::Error> {
    let until: JournalPositions = match locked {
        Some(ends) => {
            let place = |end: &EarlierEnd| JournalPosition::new(end.shard, Position(end.position));
            ends.iter().map(place).collect()
        }
        None => shards::heads(connection).await?,
    };
    for JournalPosition { shard, position } in until.iter() {
        let after = accounts.read_until.of(shard).unwrap_or_default();
        let opened: Vec<String> = sqlx::query_scalar(include_str!("opened_between.sql"))
            .bind(shard.0)
            .bind(after.0)
            .bind(position.0)
            .fetch_all(&mut *connection)
            .await?;
        accounts.digests.extend(opened.iter().map(|id| AccountDigest::of_text(id)));
    }
    accounts.read_until = until;
    Ok(())
}

/// Tells each head, in the order of shards, that there is one more sharding, and returns where the shards end.
async fn lock_heads(
    connection: &mut PgConnection,
    known: &Shards,
    sharding: i16,
) -> Result<Vec<EarlierEnd>, GrowError> {
    let mut numbers: Vec<Shard> = known.iter().collect();
    numbers.sort();
    let mut ends = Vec::with_capacity(numbers.len());
    for shard in numbers {
        // Each by itself, as a database on several nodes needs it.
        let told: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(include_str!("tell_head.sql"))
            .bind(shard.0)
            .bind(sharding)
            .fetch_optional(&mut *connection)
            .await?;
        let (position, block, hash) = told.ok_or(GrowError::Meanwhile)?;
        ends.push(EarlierEnd { shard, position, block, hash });
    }
    Ok(ends)
}

/// Stores what is kept of the growth, and the heads of the new shards.
async fn store(
    connection: &mut PgConnection,
    kept: &StoredSharding,
    at: Timestamp,
) -> Result<Vec<Shard>, sqlx::Error> {
    let StoredSharding { sharding, slots, filter, ends, .. } = kept;
    let beginning = kept.beginning();
    sqlx::query(include_str!("keep_sharding.sql"))
        .bind(sharding)
        .bind(slots)
        .bind(i64::try_from(filter.accounts()).unwrap_or(i64::MAX))
        .bind(ends.iter().map(|end| end.shard.0).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.position).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.block).collect::<Vec<_>>())
        .bind(ends.iter().map(|end| end.hash.as_slice()).collect::<Vec<_>>())
        .bind(beginning.as_slice())
        .bind(at.to_utc())
        .execute(&mut *connection)
        .await?;
    for (piece, bits) in (0_i32..).zip(filter.bytes().chunks(PIECE_BYTES)) {
        let keep = sqlx::query(include_str!("keep_filter_piece.sql")).bind(sharding).bind(piece).bind(bits);
        keep.execute(&mut *connection).await?;
    }
    let numbers: Vec<i16> =
        sqlx::query_scalar(include_str!("new_numbers.sql")).bind(slots).fetch_all(&mut *connection).await?;
    for (slot, number) in (0_i16..).zip(&numbers) {
        sqlx::query(include_str!("new_head.sql"))
            .bind(number)
            .bind(sharding)
            .bind(slot)
            .bind(slots)
            .bind(beginning.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(numbers.into_iter().map(Shard).collect())
}

fn length(digests: &[AccountDigest]) -> u64 {
    u64::try_from(digests.len()).unwrap_or(u64::MAX)
}
