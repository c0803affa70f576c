//! Is an account that was opened before a growth in its shard for ever, whatever comes later?

use std::collections::BTreeSet;

use counterfoil::{
    domain::recorded::Shard,
    journal::{
        earlier_accounts::{AccountDigest, EarlierAccounts},
        merkle,
        shards::{ShardPart, Shards},
    },
};
use proptest::prelude::*;

use crate::support::ledger::account;

/// Computed by another program from the rule. They never change: an account that was looked for in another shard would
/// be opened twice.
#[test]
fn what_a_filter_says_is_the_same_for_ever() {
    let mut filter = EarlierAccounts::with_room_for(100);
    (0..100).for_each(|number| filter.insert(AccountDigest::of(&account(&format!("a{number}")))));
    let digest = filter.digest();
    assert_eq!(hex::encode(digest), "dcd41d701f0f3aba8136ddf9c953b66c927543deda8cac73f28013a0392730aa");
    let taken: Vec<usize> =
        (0..3_000).filter(|number| filter.has(AccountDigest::of(&account(&format!("a{number}"))))).collect();
    let mistaken = [262, 567, 610, 625, 862, 1300, 1401, 1552, 1639, 1843, 2265, 2330, 2529, 2743, 2913];
    assert_eq!(taken, (0..100).chain(mistaken).collect::<Vec<_>>());

    let beginning = merkle::sharding(1, 4, (100, &digest), [(Shard(0), 7, 3, [42; 32].as_slice())]);
    assert_eq!(hex::encode(beginning), "bb70bfecb27eb2f9d78cc061581676fa741f25a3dd2b7ba1f93f3b1d79535a9b");
}

#[test]
fn six_in_a_thousand_at_most_are_taken_for_old_accounts() {
    let mut filter = EarlierAccounts::with_room_for(10_000);
    (0..10_000).for_each(|number| filter.insert(AccountDigest::of_text(&format!("old{number}"))));
    let mistaken = (0..10_000).filter(|number| filter.has(AccountDigest::of_text(&format!("new{number}"))));
    let mistaken = mistaken.count();
    assert!(mistaken < 60, "{mistaken}");
}

/// The heads of shardings with so many shards each.
fn parts(slots: &[i16]) -> Vec<ShardPart> {
    let shardings = i16::try_from(slots.len()).expect("few");
    let of = |(sharding, slots): (i16, &i16)| {
        let slots = *slots;
        (0..slots).map(move |slot| (sharding, slot, slots))
    };
    let all = (0..).zip(slots).flat_map(of).zip(0..);
    all.map(|((sharding, slot, slots), shard)| ShardPart { shard, sharding, slot, slots, shardings })
        .collect()
}

proptest! {
    #[test]
    fn an_account_stays_where_it_was_opened(
        groups in prop::collection::vec(prop::collection::btree_set("[a-z]{1,4}", 0..60), 2..=4),
        first in 0_u32..3,
    ) {
        let (mut slots, mut filters) = (vec![1_i16 << first], Vec::new());
        let mut opened: Vec<(String, Shard)> = Vec::new();
        for (growths, group) in groups.iter().enumerate() {
            let known = Shards::of_parts(&parts(&slots), filters.clone()).expect("they are whole");
            prop_assert_eq!(usize::try_from(known.shardings()).expect("few"), growths + 1);
            let all: Vec<Shard> = known.iter().collect();
            for (id, shard) in &opened {
                prop_assert_eq!(known.of(&account(id)), *shard, "{} stays", id);
            }
            let before: BTreeSet<String> = opened.iter().map(|(id, _)| id.clone()).collect();
            for id in group.difference(&before) {
                let shard = known.of(&account(id));
                prop_assert_eq!(all.get(known.slot_of(&account(id))), Some(&shard));
                opened.push((id.clone(), shard));
            }
            let mut filter = EarlierAccounts::with_room_for(u64::try_from(opened.len()).expect("few"));
            opened.iter().for_each(|(id, _)| filter.insert(AccountDigest::of_text(id)));
            filters.push(filter);
            slots.push(slots.last().expect("one") * 2);
        }
    }
}
