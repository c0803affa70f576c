//! Who is woken when something was appended to a shard?

use std::collections::BTreeSet;

use crate::domain::recorded::{Position, Shard};

use super::{
    bell::Bells,
    tell::{payload, shards},
    wait::FollowerProgress,
};

#[test]
fn an_append_wakes_only_those_who_follow_its_shard() {
    let bells = Bells::new(&[Shard(0), Shard(1)]);
    let heard = [0, 1].map(|shard| bells.of(Shard(shard)).expect("it is there").listen());
    let woken = || heard.each_ref().map(|rung| rung.has_changed().expect("it is there"));
    bells.ring(Shard(1));
    bells.ring(Shard(7));
    assert_eq!(woken(), [false, true]);
    let _waiting = bells.of(Shard(0)).expect("it is there").wait();
    assert_eq!(woken(), [true, true], "a caller waits");
    assert!(!bells.of(Shard(1)).expect("it is there").is_awaited());
}

/// Who is called while it works takes that for an append, and rests.
#[test]
fn who_goes_through_history_is_not_called_again() {
    let at = |position, is_at_end| FollowerProgress { position, is_at_end, ..FollowerProgress::default() };
    assert!(at(7, true).has_missed(Position(8)));
    assert!(!at(8, true).has_missed(Position(8)));
    assert!(!at(7, false).has_missed(Position(8)));
}

#[test]
fn a_notification_names_the_shards() {
    let told = BTreeSet::from([Shard(0), Shard(3), Shard(1_023)]);
    assert_eq!(shards(&payload(&told)).collect::<BTreeSet<_>>(), told);
    assert_eq!(shards("").count() + shards("of a later release").count(), 0);
    let all = (0..1_024).map(|number| Shard(i16::MAX - number)).collect();
    assert!(payload(&all).len() < 8_000);
}
