//! Does the order of arrival matter to what documents mean? Each of the story, translated and decided by the rules in a
//! ledger in memory, in any order and twice. The server is told in `server/story/orders.rs`.

use std::collections::BTreeMap;

use counterfoil::domain::{
    account::{Account, OpenAccount},
    time::Timestamp,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng},
};
use serde_json::Value;

use crate::{
    functions::truth::books::Books,
    support::documents::{ADA, BOB, SHAPES, catalog, story, value},
};

/// What is left, spent, held and taken back, by grant; of a month all together, since it may be granted at once or bit
/// by bit.
fn grants(open: &OpenAccount) -> BTreeMap<String, [i64; 4]> {
    let mut sums: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    for grant in open.wallet.grants() {
        let name = match &grant.terms.slot {
            Some(slot) => {
                format!("{:?} of {} until {}", grant.terms.source, slot.month_end(), slot.period.end)
            }
            None => grant.terms.grant_id.to_string(),
        };
        let ends = grant.ends_at().map(|end| end.to_string()).unwrap_or_default();
        let parts = [grant.remaining, grant.consumed, grant.held, grant.clawed_back_owed];
        let sum = sums.entry(format!("{name} ends {ends}")).or_default();
        sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part.get());
    }
    sums.retain(|_, parts| parts.iter().any(|part| *part != 0));
    sums
}

/// All of an account that anybody can see or that decides anything, without the order in which it was
/// learned.
#[derive(Debug, PartialEq)]
struct Standing {
    plan: String,
    balance: counterfoil::domain::credits::Balance,
    customers: String,
    subscriptions: String,
    facts: String,
    grants: BTreeMap<String, [i64; 4]>,
}

impl Standing {
    fn of(account: &Account, at: Timestamp) -> Self {
        let open = account.opened().expect("the account is open");
        Self {
            plan: open.plan(at, &catalog()).to_string(),
            balance: account.balance(at),
            customers: format!("{:?}", open.customers),
            subscriptions: format!("{:?}", open.subscriptions.known()),
            facts: format!("{:?}", open.subscriptions.facts()),
            grants: grants(open),
        }
    }
}

fn created(event: &Value) -> Timestamp {
    Timestamp::from_seconds(event["created"].as_i64().unwrap()).unwrap()
}

fn after_all() -> Timestamp {
    Timestamp::parse("2025-09-03T00:00:00Z").unwrap()
}

fn deliver_all(events: &[Value], at: impl Fn(&Value) -> Timestamp) -> BTreeMap<&'static str, Standing> {
    let mut books = Books::new(catalog());
    events.iter().for_each(|event| books.deliver(event, at(event)));
    books.settle(after_all());
    books.assert_all_counted();
    [ADA, BOB].map(|id| (id, Standing::of(books.account(id), after_all()))).into()
}

fn events(shape: &str) -> Vec<Value> {
    story(shape).iter().map(|file| value(shape, file)).collect()
}

#[test]
fn reversed_is_the_same_as_in_order() {
    for shape in SHAPES {
        let mut events = events(shape);
        let in_order = deliver_all(&events, |_| after_all());
        events.reverse();
        assert_eq!(deliver_all(&events, |_| after_all()), in_order, "{shape}");
    }
}

#[test]
fn shuffled_and_doubled_is_the_same_as_in_order() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    for shape in SHAPES {
        let events = events(shape);
        let in_order = deliver_all(&events, |_| after_all());
        let doubled: Vec<_> = events.iter().chain(&events).cloned().collect();
        let shuffles = Just(doubled).prop_shuffle();
        for number in 0..50 {
            let shuffled = shuffles.new_tree(&mut runner).unwrap().current();
            assert_eq!(deliver_all(&shuffled, |_| after_all()), in_order, "{shape}, shuffle {number}");
        }
    }
}

/// The other endings: the first half of the refund fails, and the dispute is won. The older shape has no events of
/// single refunds, so nothing of the refund comes back there.
#[test]
fn the_other_endings_are_the_same_in_any_order() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    for (shape, failed, available) in
        [(SHAPES[0], None, 7_550), (SHAPES[1], Some("refund.failed.json"), 8_550)]
    {
        let mut files = story(shape);
        files.retain(|file| file != "charge.dispute.closed.json");
        files.extend(failed.into_iter().chain(["charge.dispute.closed.won.json"]).map(str::to_owned));
        let events: Vec<_> = files.iter().map(|file| value(shape, file)).collect();
        let in_order = deliver_all(&events, |_| after_all());
        assert_eq!(in_order[ADA].balance.available.get(), available, "{shape}");
        let doubled: Vec<_> = events.iter().chain(&events).cloned().collect();
        let shuffles = Just(doubled).prop_shuffle();
        for number in 0..50 {
            let shuffled = shuffles.new_tree(&mut runner).unwrap().current();
            assert_eq!(deliver_all(&shuffled, |_| after_all()), in_order, "{shape}, shuffle {number}");
        }
    }
}

/// What was delivered as it happened, and what was delivered at once when all was over.
#[test]
fn late_is_the_same_as_in_time() {
    for shape in SHAPES {
        let events = events(shape);
        let late = deliver_all(&events, |_| after_all());
        let in_time = deliver_all(&events, created);
        for id in [ADA, BOB] {
            let (late, in_time) = (&late[id], &in_time[id]);
            assert_eq!(late.balance, in_time.balance, "{shape} {id}");
            assert_eq!(late.plan, in_time.plan, "{shape} {id}");
            assert_eq!(late.subscriptions, in_time.subscriptions, "{shape} {id}");
            assert_eq!(late.grants, in_time.grants, "{shape} {id}");
        }
    }
}

#[test]
fn both_shapes_end_the_same() {
    let standing = |shape| deliver_all(&events(shape), |_| after_all());
    let (older, newer) = (standing(SHAPES[0]), standing(SHAPES[1]));
    for id in [ADA, BOB] {
        assert_eq!(older[id].grants, newer[id].grants, "{id}");
        assert_eq!(older[id].subscriptions, newer[id].subscriptions, "{id}");
    }
}
