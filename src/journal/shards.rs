//! Which shards does the journal have, and which of them is an account in?
//!
//! The number of shards is chosen when the database is made, and never changes: an event's hash has its shard in it.
//! Each head says which part of the accounts is in its shard, and of how many, so that a shard that is gone is noticed.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::domain::{
    ids::AccountId,
    recorded::{JournalPosition, JournalPositions, Position, Shard},
};

/// The shards of a database, one for each equal part of the accounts. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards(Arc<[Shard]>);

/// The heads of a journal do not make a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal has {slots} shards by one of its heads, and the head of part {slot} is missing or there twice"
)]
pub struct ShardMissing {
    pub slots: i16,
    pub slot: i16,
}

impl Shards {
    /// # Errors
    /// If the database does not answer, or a shard is missing.
    pub async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        Self::of_heads(&parts(connection).await?)
            .map_err(|missing| sqlx::Error::Protocol(missing.to_string()))
    }

    /// The shards of heads with a number, a part and a number of parts, ordered by part.
    ///
    /// # Errors
    /// If the parts are not all there, each once.
    pub fn of_heads(heads: &[(i16, i16, i16)]) -> Result<Self, ShardMissing> {
        let slots = heads.iter().map(|(_, _, slots)| *slots).max().unwrap_or(1);
        let mut numbers = Vec::with_capacity(heads.len());
        let mut rows = heads.iter().peekable();
        for slot in 0..slots {
            let missing = ShardMissing { slots, slot };
            let (shard, _, _) = rows.next_if(|(_, is, of)| (*is, *of) == (slot, slots)).ok_or(missing)?;
            numbers.push(Shard(*shard));
        }
        match rows.next() {
            None => Ok(Self(numbers.into())),
            Some((_, slot, _)) => Err(ShardMissing { slots, slot: *slot }),
        }
    }

    /// Where an account is among the shards, from 0: the first four bytes of its digest, modulo their number.
    #[must_use]
    pub fn slot_of(&self, account: &AccountId) -> usize {
        let digest: [u8; 32] = Sha256::digest(account.as_str()).into();
        let first = digest.first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default();
        let slots = u32::try_from(self.0.len()).unwrap_or(1);
        usize::try_from(first.checked_rem(slots).unwrap_or(0)).unwrap_or(0)
    }

    #[must_use]
    pub fn of(&self, account: &AccountId) -> Shard {
        self.0.get(self.slot_of(account)).copied().unwrap_or(Shard(0))
    }

    /// By part of the accounts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Shard> {
        self.0.iter().copied()
    }
}

/// What the heads say of the shards: the number, the part of the accounts that is in it, and how many parts there are.
///
/// # Errors
/// If the database does not answer.
pub async fn parts(connection: &mut PgConnection) -> Result<Vec<(i16, i16, i16)>, sqlx::Error> {
    sqlx::query_as(include_str!("shards.sql")).fetch_all(connection).await
}

/// Where the order of each shard ends.
///
/// # Errors
/// If the database does not answer.
pub async fn heads(connection: &mut PgConnection) -> Result<JournalPositions, sqlx::Error> {
    let rows: Vec<(i16, i64)> = sqlx::query_as(include_str!("heads.sql")).fetch_all(connection).await?;
    let place = |(shard, position)| JournalPosition::new(Shard(shard), Position(position));
    Ok(rows.into_iter().map(place).collect())
}
