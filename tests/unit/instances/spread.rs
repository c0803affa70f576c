//! Do all instances prefer the same writers, and does each get its part?

use std::collections::BTreeMap;

use proptest::{collection::btree_set, prelude::*};
use uuid::Uuid;

use super::writers;
use crate::{domain::recorded::Shard, journal::shards::Shards};

fn shards(count: i16) -> Shards {
    let heads: Vec<(i16, i16, i16)> = (0..count).map(|slot| (slot * 3, slot, count)).collect();
    Shards::of_heads(&heads).expect("they are whole")
}

fn counts(writers: &BTreeMap<Shard, Uuid>) -> BTreeMap<Uuid, usize> {
    let mut counts = BTreeMap::new();
    for id in writers.values() {
        *counts.entry(*id).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn each_shard_has_one_writer_whoever_looks_and_none_has_more_than_its_part(
        ids in btree_set(any::<u128>(), 1..9),
        power in 0..8_u32,
    ) {
        let shards = shards(2_i16.pow(power));
        let ids: Vec<Uuid> = ids.into_iter().map(Uuid::from_u128).collect();
        let seen = writers(&shards, &ids);
        prop_assert_eq!(seen.len(), shards.iter().len());
        let backwards: Vec<Uuid> = ids.iter().rev().copied().collect();
        prop_assert_eq!(&seen, &writers(&shards, &backwards));
        let most = shards.iter().len().div_ceil(ids.len());
        prop_assert!(counts(&seen).values().all(|count| *count <= most));
    }

    /// Else each change would make all instances load all accounts again.
    #[test]
    fn most_shards_stay_where_they_are_when_an_instance_goes(ids in btree_set(any::<u128>(), 4..9)) {
        let shards = shards(128);
        let ids: Vec<Uuid> = ids.into_iter().map(Uuid::from_u128).collect();
        let (before, after) = (writers(&shards, &ids), writers(&shards, &ids[1..]));
        let moved = before.iter().filter(|(shard, id)| **id != ids[0] && after.get(shard) != Some(id)).count();
        prop_assert!(moved < 64, "{moved} of 128 moved between the others");
    }
}
