//! Do the accounts stay in memory that were used last, and no more than there is memory for?

use proptest::prelude::*;

use super::AccountCache;
use crate::{
    domain::{
        account::{Account, OpenAccount},
        ids::{AccountId, PlanId},
        time::Timestamp,
    },
    journal::load::LoadedAccount,
    ledger::cached_account::CachedAccount,
};

fn id(number: u8) -> AccountId {
    AccountId::parse(&format!("a{number}")).expect("an id")
}

/// An account whose plan has a name of `length` letters.
fn known(number: u8, length: usize) -> LoadedAccount {
    let plan = PlanId::parse(&"p".repeat(length)).expect("an id");
    let state = Account::Open(OpenAccount::new(plan, Timestamp::MIN));
    LoadedAccount { state, ..LoadedAccount::nothing(id(number)) }
}

fn bytes(account: &LoadedAccount) -> usize {
    CachedAccount::new(account.clone()).bytes()
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, usize),
    Use(u8),
    MakeRoom,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..12, 1_usize..60).prop_map(|(number, length)| Step::Insert(number, length)),
        (0_u8..12).prop_map(Step::Use),
        Just(Step::MakeRoom),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn what_is_kept_is_what_was_used_last(steps in steps()) {
        let memory = 5 * bytes(&known(0, 30));
        let mut cache = AccountCache::new(memory);
        // The last one was used last.
        let mut expected: Vec<LoadedAccount> = Vec::new();
        for step in steps {
            match step {
                Step::Insert(number, length) => {
                    cache.insert(known(number, length));
                    expected.retain(|known| known.id != id(number));
                    expected.push(known(number, length));
                }
                Step::Use(number) => {
                    let at = expected.iter().position(|known| known.id == id(number));
                    let used = at.map(|at| expected.remove(at));
                    prop_assert_eq!(cache.use_now(&id(number)).cloned(), used.clone());
                    expected.extend(used);
                }
                Step::MakeRoom => {
                    cache.make_room();
                    while expected.iter().map(bytes).sum::<usize>() > memory {
                        expected.remove(0);
                    }
                }
            }
            for number in 0..12 {
                let kept = expected.iter().find(|known| known.id == id(number));
                prop_assert_eq!(cache.get(&id(number)), kept);
            }
        }
    }
}

#[test]
fn an_account_that_grows_is_weighed_again() {
    let mut cache = AccountCache::new(8 * bytes(&known(1, 1)));
    cache.insert(LoadedAccount::nothing(id(0)));
    (1..8).for_each(|number| cache.insert(known(number, 1)));
    cache.make_room();
    assert!(cache.get(&id(1)).is_some(), "there is memory for all of them");
    let grown = known(0, 60);
    assert!(bytes(&grown) > bytes(&known(1, 1)));
    *cache.use_now(&id(0)).expect("it is there") = grown;
    assert_eq!(cache.weigh_again(&id(0)).map(|(sequence, _)| sequence), Some(1));
    cache.make_room();
    assert!(cache.get(&id(1)).is_none(), "and then not");
    assert!(cache.get(&id(0)).is_some() && cache.get(&id(2)).is_some());
}

#[test]
fn an_account_that_is_larger_than_the_memory_stays_while_it_is_used() {
    let small = bytes(&LoadedAccount::nothing(id(0)));
    let large = known(1, 60);
    let mut cache = AccountCache::new(bytes(&large) - 1);
    cache.insert(LoadedAccount::nothing(id(0)));
    cache.insert(large.clone());
    assert!(small < bytes(&large) / 2);
    for number in 2..20 {
        cache.insert(LoadedAccount::nothing(id(number)));
        assert_eq!(cache.use_now(&id(1)), Some(&mut large.clone()));
        cache.make_room();
        assert!(cache.get(&id(number)).is_some(), "the others stay, too");
    }
    assert!(cache.get(&id(0)).is_none());
}
