//! What do metrics say of several shards?

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;

use crate::{clock::Clock, domain::time::Timestamp};

use super::{look::ConsumerMeasure, wait::FollowerProgress};

#[test]
fn of_several_shards_positions_are_added_and_the_largest_lag_is_shown() {
    let now = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    let shard = |position, late_s: Option<i64>, parked: &[&str]| FollowerProgress {
        leads: true,
        position,
        parked: Arc::new(parked.iter().map(|account| ((*account).to_owned(), 1)).collect::<BTreeMap<_, _>>()),
        behind_since: late_s.map(|seconds| now.minus(TimeDelta::seconds(seconds))),
        is_at_end: false,
    };
    let clock = Clock::fixed(now);
    let measured = |shards: Vec<FollowerProgress>| ConsumerMeasure::of(shards.into_iter(), &clock);
    let several =
        measured(vec![shard(5, Some(1), &["a"]), shard(9, Some(3), &["b", "c"]), shard(2, None, &[])]);
    assert_eq!(several, ConsumerMeasure { handled: 16, parked: 3, lag_ms: 3_000 });
    assert_eq!(measured(vec![shard(7, None, &[])]), ConsumerMeasure { handled: 7, parked: 0, lag_ms: 0 });
    assert_eq!(measured(Vec::new()), ConsumerMeasure::default());
}
