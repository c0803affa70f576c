//! How is it proved that nothing changed? Leaf hashes and Merkle roots as in RFC 6962.

use crate::domain::recorded::Shard;
use sha2::{Digest, Sha256};

pub type MerkleHash = [u8; 32];

/// The hash of one event: SHA-256 over 0x00 and its fields, each preceded by its length, so that different events never
/// have the same bytes.
#[must_use]
pub fn leaf<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> MerkleHash {
    let mut hasher = Sha256::new();
    hasher.update([0_u8]);
    for field in fields {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        hasher.update(length.to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

fn node(left: &MerkleHash, right: &MerkleHash) -> MerkleHash {
    let mut hasher = Sha256::new();
    hasher.update([1_u8]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The root over leaf hashes in order. Without leaves, it is the hash of nothing, as in the RFC.
#[must_use]
pub fn root(leaves: &[MerkleHash]) -> MerkleHash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

/// What one block adds to the hash chain.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub previous: &'a [u8],
    pub shard: Shard,
    pub block: i64,
    pub first: i64,
    pub last: i64,
    pub root: &'a [u8],
}

/// The hash that the next block is chained to, as `ledger.append` computes it.
#[must_use]
pub fn chain(link: &Link<'_>) -> MerkleHash {
    let mut hasher = Sha256::new();
    hasher.update(link.previous);
    hasher.update(link.shard.0.to_be_bytes());
    hasher.update(link.block.to_be_bytes());
    hasher.update(link.first.to_be_bytes());
    hasher.update(link.last.to_be_bytes());
    hasher.update(link.root);
    hasher.finalize().into()
}

/// Where a shard's chain ends, in a journal of `slots` shards.
#[derive(Clone, Copy, Debug)]
pub struct ShardEnd<'a> {
    pub slots: i16,
    pub shard: Shard,
    pub position: i64,
    pub block: i64,
    pub hash: &'a [u8],
}

/// What a shard adds to the root over all shards.
#[must_use]
pub fn shard_end(end: &ShardEnd<'_>) -> MerkleHash {
    leaf([
        end.slots.to_be_bytes().as_slice(),
        end.shard.0.to_be_bytes().as_slice(),
        end.position.to_be_bytes().as_slice(),
        end.block.to_be_bytes().as_slice(),
        end.hash,
    ])
}

/// What the chains of the shards of a growth begin with: a leaf of what is kept of it, with the name of what it is,
/// which no event has in its place.
/// `ends`: shard, position, block and hash of each earlier shard, in the order of shards.
#[must_use]
pub fn sharding<'a>(
    sharding: i16,
    slots: i16,
    (accounts, filter): (u64, &MerkleHash),
    ends: impl IntoIterator<Item = (Shard, i64, i64, &'a [u8])>,
) -> MerkleHash {
    let mut fields = vec![
        b"sharding".to_vec(),
        sharding.to_be_bytes().to_vec(),
        slots.to_be_bytes().to_vec(),
        accounts.to_be_bytes().to_vec(),
        filter.to_vec(),
    ];
    for (shard, position, block, hash) in ends {
        fields.extend([shard.0.to_be_bytes().to_vec(), position.to_be_bytes().to_vec()]);
        fields.extend([block.to_be_bytes().to_vec(), hash.to_vec()]);
    }
    leaf(fields.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_nothing_is_the_hash_of_nothing() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(root(&[])), expected);
    }

    #[test]
    fn seven_leaves_split_as_in_the_rfc() {
        let leaves: Vec<MerkleHash> = (0_u8..7).map(|number| leaf([[number].as_slice()])).collect();
        let n = |a: &MerkleHash, b: &MerkleHash| node(a, b);
        let [d0, d1, d2, d3, d4, d5, d6] = leaves.clone().try_into().expect("seven");
        let expected = n(&n(&n(&d0, &d1), &n(&d2, &d3)), &n(&n(&d4, &d5), &d6));
        assert_eq!(root(&leaves), expected);
    }

    #[test]
    fn moving_a_byte_between_fields_changes_the_leaf() {
        assert_ne!(leaf([b"ab".as_slice(), b"c"]), leaf([b"a".as_slice(), b"bc"]));
    }
}
