//! How long do followers rest while the ledger is busy?

use std::time::Duration;

use tokio::time::Instant;

use super::pace::{FollowerPace, Pressure, REST_MAX};

#[test]
fn a_follower_rests_three_times_as_long_as_its_step_and_once_when_it_is_late() {
    let step = Duration::from_millis(40);
    let calm = Pressure { lag_ms: 100, is_awaited: false, shards: 1 };
    assert_eq!(calm.rest(step), step * 3);
    assert_eq!(Pressure { is_awaited: true, ..calm }.rest(step), step);
    assert_eq!(Pressure { lag_ms: 5_000, ..calm }.rest(step), step);
    assert_eq!(Pressure { shards: 8, ..calm }.rest(step), step * 24);
    assert_eq!(calm.rest(Duration::from_secs(9)), REST_MAX);
}

#[tokio::test]
async fn all_go_on_when_the_longest_rest_is_over() {
    let pace = FollowerPace::default();
    let begun = Instant::now();
    let rest = |millis| {
        let pace = pace.clone();
        async move {
            pace.rest_until(begun + Duration::from_millis(millis)).await;
            begun.elapsed() >= Duration::from_millis(150)
        }
    };
    assert_eq!(tokio::join!(rest(10), rest(150), rest(0)), (true, true, true));
}
