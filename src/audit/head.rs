//! Up to where was the journal verified before?

use std::{fmt, str::FromStr};

use sqlx::Row;

use crate::{domain::recorded::Shard, journal::merkle::MerkleHash};

use super::{finding::VerifyError, moment::JournalMoment};

/// A head that an earlier audit has shown: a position of a shard, and the hash of all that is in it up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedHead {
    /// `None`: the only shard.
    pub shard: Option<Shard>,
    pub position: i64,
    pub hash: MerkleHash,
}

impl fmt::Display for VerifiedHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shard) = self.shard {
            write!(formatter, "{}/", shard.0)?;
        }
        write!(formatter, "{}:{}", self.position, hex::encode(self.hash))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a position, a colon and the hash are expected, as an earlier audit has shown them; with several shards, each \
         after its number and a slash"
)]
pub struct NotAHead;

impl FromStr for VerifiedHead {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (shard, text) = match text.split_once('/') {
            Some((shard, rest)) => (Some(Shard(shard.parse().map_err(|_| NotAHead)?)), rest),
            None => (None, text),
        };
        let (position, hash) = text.split_once(':').ok_or(NotAHead)?;
        let position = position.parse().ok().filter(|position| *position > 0).ok_or(NotAHead)?;
        let hash = hex::decode(hash).ok().and_then(|hash| hash.try_into().ok()).ok_or(NotAHead)?;
        Ok(Self { shard, position, hash })
    }
}

/// Where a chain goes on: after this block.
#[derive(Clone, Debug, Default)]
pub(super) struct ChainEnd {
    pub block: i64,
    pub position: i64,
    pub hash: Vec<u8>,
}

/// The block that ends at a verified head. `None`: no block ends there, or it has another hash.
pub(super) async fn find(
    moment: &JournalMoment,
    shard: Shard,
    blocks: i64,
    head: &VerifiedHead,
) -> Result<Option<ChainEnd>, VerifyError> {
    let mut reader = moment.reader().await?;
    // Blocks end at later and later positions, and are found by their number.
    let (mut low, mut high) = (1, blocks);
    while low <= high {
        let block = low.midpoint(high);
        let row = sqlx::query(include_str!("block.sql"))
            .bind(shard.0)
            .bind(block)
            .fetch_optional(reader.connection()?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (position, hash): (i64, Vec<u8>) = (row.try_get("last_position")?, row.try_get("hash")?);
        match position.cmp(&head.position) {
            std::cmp::Ordering::Less => low = block.saturating_add(1),
            std::cmp::Ordering::Greater => high = block.saturating_sub(1),
            std::cmp::Ordering::Equal => {
                let end = ChainEnd { block, position, hash };
                return Ok(Some(end).filter(|end| end.hash == head.hash));
            }
        }
    }
    Ok(None)
}
