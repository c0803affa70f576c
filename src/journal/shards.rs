//! Which shards does the journal have, and which of them is an account in?
//!
//! The number of shards is chosen when the database is made. That is sharding 0. A ledger that is grown begins another
//! sharding, with shards of its own: accounts that were opened before stay where they are, and all others are in the
//! newest ([`super::earlier_accounts`]). An account is never moved, since an event's hash has its shard in it.
//!
//! Each head says which part of the accounts of which sharding is in its shard, and of how many parts, so that a shard
//! that is gone is noticed.

use std::sync::Arc;

use sqlx::{FromRow, PgConnection};

use crate::domain::{
    ids::AccountId,
    recorded::{JournalPosition, JournalPositions, Position, Shard},
};

use super::{
    earlier_accounts::{AccountDigest, EarlierAccounts},
    sharding,
};

/// The shards of a database. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards(Arc<KnownShards>);

#[derive(Debug, PartialEq, Eq)]
struct KnownShards {
    /// By sharding, and then by part of the accounts.
    numbers: Vec<Shard>,
    /// By number; never none.
    shardings: Vec<KnownSharding>,
}

#[derive(Debug, PartialEq, Eq)]
struct KnownSharding {
    /// The accounts that are in earlier shardings. `None`: there are no earlier ones.
    earlier: Option<EarlierAccounts>,
    /// Where its shards begin in the list of all.
    first: usize,
    slots: u32,
}

/// What a head says of its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct ShardPart {
    pub shard: i16,
    pub sharding: i16,
    /// Which part of the accounts is in it, from 0, and of how many.
    pub slot: i16,
    pub slots: i16,
    /// How many shardings the journal has.
    pub shardings: i16,
}

/// The heads of a journal do not make a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardMissing {
    #[error(
        "the journal has {slots} shards in sharding {sharding} by one of its heads, and the head of part {slot} is \
         missing or there twice"
    )]
    Head { sharding: i16, slots: i16, slot: i16 },
    #[error(
        "the journal has heads of {heads} shardings, and of {kept} it is kept which accounts are in them"
    )]
    Sharding { heads: usize, kept: usize },
    #[error("another program has grown the ledger: it has more than the {known} shards that this one knows")]
    Unknown { known: usize },
}

impl Shards {
    /// # Errors
    /// If the database does not answer, or a shard is missing.
    pub async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let parts = parts(connection).await?;
        // As the heads say that are there: all of a sharding may be gone.
        let shardings = parts.iter().map(|part| part.shardings).max().unwrap_or(1);
        let kept = if shardings > 1 { sharding::read_all(connection).await? } else { Vec::new() };
        // Another one may have begun since the heads were read.
        let known = kept.into_iter().filter(|kept| kept.sharding < shardings);
        let filters = known.map(|kept| kept.filter).collect();
        Self::of_parts(&parts, filters).map_err(|missing| sqlx::Error::Protocol(missing.to_string()))
    }

    /// The shards of a journal that was never grown: of each head its number, its part and the number of parts, ordered
    /// by part.
    ///
    /// # Errors
    /// If the parts are not all there, each once.
    pub fn of_heads(heads: &[(i16, i16, i16)]) -> Result<Self, ShardMissing> {
        let part = |(shard, slot, slots): &(i16, i16, i16)| ShardPart {
            shard: *shard,
            sharding: 0,
            slot: *slot,
            slots: *slots,
            shardings: 1,
        };
        Self::of_parts(&heads.iter().map(part).collect::<Vec<_>>(), Vec::new())
    }

    /// The shards of heads that are ordered by sharding and part, with a filter for each sharding but the first.
    ///
    /// # Errors
    /// If the parts or the filters are not all there, each once.
    pub fn of_parts(parts: &[ShardPart], filters: Vec<EarlierAccounts>) -> Result<Self, ShardMissing> {
        let kept = filters.len().saturating_add(1);
        let mut shardings = Vec::with_capacity(kept);
        let mut first = 0;
        let mut filters = filters.into_iter();
        let mut rest = parts;
        for sharding in 0_i16.. {
            let (of_it, later) = rest.split_at(rest.partition_point(|part| part.sharding <= sharding));
            let slots = whole(sharding, of_it)?;
            let earlier = if sharding == 0 { None } else { filters.next() };
            if sharding > 0 && earlier.is_none() {
                let heads = parts.chunk_by(|one, next| one.sharding == next.sharding).count();
                return Err(ShardMissing::Sharding { heads, kept });
            }
            shardings.push(KnownSharding { earlier, first, slots });
            first = first.saturating_add(of_it.len());
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        if filters.next().is_some() {
            return Err(ShardMissing::Sharding { heads: shardings.len(), kept });
        }
        let numbers = parts.iter().map(|part| Shard(part.shard)).collect();
        Ok(Self(Arc::new(KnownShards { numbers, shardings })))
    }

    /// Where an account is among the shards, from 0.
    #[must_use]
    pub fn slot_of(&self, account: &AccountId) -> usize {
        let digest = AccountDigest::of(account);
        let is_of_it =
            |sharding: &&KnownSharding| sharding.earlier.as_ref().is_none_or(|earlier| !earlier.has(digest));
        let place = |sharding: &KnownSharding| {
            let slot = usize::try_from(digest.part_of(sharding.slots)).unwrap_or(0);
            sharding.first.saturating_add(slot)
        };
        // The first has no filter, so there is always one.
        self.0.shardings.iter().rev().find(is_of_it).map_or(0, place)
    }

    #[must_use]
    pub fn of(&self, account: &AccountId) -> Shard {
        self.0.numbers.get(self.slot_of(account)).copied().unwrap_or(Shard(0))
    }

    /// By sharding, and then by part of the accounts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Shard> {
        self.0.numbers.iter().copied()
    }

    #[must_use]
    pub fn has(&self, shard: Shard) -> bool {
        self.0.numbers.contains(&shard)
    }

    /// How many shardings there are: 1, and one more for each time that the ledger was grown.
    #[must_use]
    pub fn shardings(&self) -> i16 {
        i16::try_from(self.0.shardings.len()).unwrap_or(i16::MAX)
    }

    /// How many shards the newest sharding has, over which new accounts are spread.
    #[must_use]
    pub fn newest_slots(&self) -> u32 {
        self.0.shardings.last().map_or(1, |sharding| sharding.slots)
    }

    /// The shard of heads that do not say theirs, from before there were several. `None`: there always were.
    #[must_use]
    pub fn only_of_the_first(&self) -> Option<Shard> {
        let first = self.0.shardings.first().filter(|first| first.slots == 1);
        first.and_then(|first| self.0.numbers.get(first.first)).copied()
    }
}

/// How many parts a sharding has, whose heads are these.
fn whole(sharding: i16, heads: &[ShardPart]) -> Result<u32, ShardMissing> {
    let slots = heads.iter().map(|part| part.slots).max().unwrap_or(1);
    let mut parts = heads.iter();
    for slot in 0..slots {
        let next = parts.next().filter(|part| (part.slot, part.slots) == (slot, slots));
        next.ok_or(ShardMissing::Head { sharding, slots, slot })?;
    }
    match parts.next() {
        None => Ok(u32::try_from(slots).unwrap_or(1)),
        Some(ShardPart { slot, .. }) => Err(ShardMissing::Head { sharding, slots, slot: *slot }),
    }
}

/// What the heads say of the shards, by sharding and part.
///
/// # Errors
/// If the database does not answer.
pub async fn parts(connection: &mut PgConnection) -> Result<Vec<ShardPart>, sqlx::Error> {
    sqlx::query_as(include_str!("shards.sql")).fetch_all(connection).await
}

/// The shards, by sharding and part, for those who need not know which accounts are in them.
///
/// # Errors
/// If the database does not answer, or a shard is missing.
pub async fn numbers(connection: &mut PgConnection) -> Result<Vec<Shard>, sqlx::Error> {
    let parts = parts(connection).await?;
    let later = parts.chunk_by(|one, next| one.sharding == next.sharding).skip(1);
    let shards = Shards::of_parts(&parts, later.map(|_| EarlierAccounts::with_room_for(0)).collect());
    shards.map(|shards| shards.iter().collect()).map_err(|missing| sqlx::Error::Protocol(missing.to_string()))
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

/// How many shardings there are now, also if another program has just begun one.
///
/// # Errors
/// If the database does not answer.
pub async fn shardings(connection: &mut PgConnection) -> Result<i16, sqlx::Error> {
    sqlx::query_scalar(include_str!("shardings.sql")).fetch_one(connection).await
}
