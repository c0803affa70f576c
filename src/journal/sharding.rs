//! What is kept of a growth? Which accounts had been opened before, and where each earlier shard ended.
//!
//! The chains of the new shards begin with the hash of this, so that they prove it too.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection};

use crate::domain::recorded::Shard;

use super::{
    earlier_accounts::EarlierAccounts,
    merkle::{self, MerkleHash},
};

/// A sharding that was begun by growing the ledger.
#[derive(Clone, Debug)]
pub struct StoredSharding {
    pub sharding: i16,
    pub slots: i16,
    pub filter: EarlierAccounts,
    /// Where the earlier shards ended, in the order of shards.
    pub ends: Vec<EarlierEnd>,
    /// As it was stored.
    pub hash: Vec<u8>,
}

/// Where a shard ended when a sharding began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierEnd {
    pub shard: Shard,
    pub position: i64,
    pub block: i64,
    /// Of the block; of a shard without events, what its chain begins with.
    pub hash: Vec<u8>,
}

#[derive(FromRow)]
struct ShardingRow {
    sharding: i16,
    slots: i16,
    accounts: i64,
    shards: Vec<i16>,
    positions: Vec<i64>,
    blocks: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    hash: Vec<u8>,
}

impl StoredSharding {
    /// What the chains of the new shards begin with, computed from the rest.
    #[must_use]
    pub fn beginning(&self) -> MerkleHash {
        let Self { sharding, slots, filter, ends, .. } = self;
        let before = (filter.accounts(), &filter.digest());
        let ends = ends.iter().map(|end| (end.shard, end.position, end.block, end.hash.as_slice()));
        merkle::sharding(*sharding, *slots, before, ends)
    }
}

/// All growths of a ledger, in their order.
///
/// # Errors
/// If the database does not answer.
pub async fn read_all(connection: &mut PgConnection) -> Result<Vec<StoredSharding>, sqlx::Error> {
    let rows: Vec<ShardingRow> =
        sqlx::query_as(include_str!("kept_shardings.sql")).fetch_all(&mut *connection).await?;
    let mut pieces: BTreeMap<i16, Vec<u8>> = BTreeMap::new();
    for sharding in rows.iter().map(|row| row.sharding) {
        // One after the other, since a filter may be larger than an answer can be.
        for piece in 0_i32.. {
            let read = sqlx::query_scalar(include_str!("filter_piece.sql")).bind(sharding).bind(piece);
            let Some::<Vec<u8>>(bits) = read.fetch_optional(&mut *connection).await? else { break };
            pieces.entry(sharding).or_default().extend(bits);
        }
    }
    let kept = rows.into_iter().map(|row| {
        let ShardingRow { sharding, slots, accounts, shards, positions, blocks, hashes, hash } = row;
        let bytes = pieces.remove(&sharding).unwrap_or_default();
        let filter = EarlierAccounts::stored(bytes, u64::try_from(accounts).unwrap_or_default());
        let places = shards.into_iter().zip(positions).zip(blocks).zip(hashes);
        let end =
            |(((shard, position), block), hash)| EarlierEnd { shard: Shard(shard), position, block, hash };
        StoredSharding { sharding, slots, filter, ends: places.map(end).collect(), hash }
    });
    Ok(kept.collect())
}
