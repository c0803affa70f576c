//! How long do followers rest while the ledger is busy?

use std::time::Duration;

use tokio::time::Instant;

use super::pace::{FollowerPace, Pressure, REST_MAX};

const STEP: Duration = Duration::from_millis(40);

#[test]
fn followers_rest_three_times_as_long_as_their_steps_and_not_when_they_are_late() {
    let calm = Pressure { lag_ms: 100, is_awaited: false };
    assert_eq!(calm.rest(STEP), STEP * 3);
    assert_eq!(Pressure { is_awaited: true, ..calm }.rest(STEP), STEP);
    assert_eq!(Pressure { lag_ms: 5_000, ..calm }.rest(STEP), Duration::ZERO);
    assert_eq!(calm.rest(Duration::from_secs(9)), REST_MAX);
}

#[tokio::test]
async fn all_steps_since_the_last_rest_count_as_one_that_runs_as_many_at_the_same_time() {
    let pace = FollowerPace::new(2);
    let begun = Instant::now();
    assert_eq!([1, 2, 3].map(|_| pace.add(begun, STEP)), [STEP / 2, STEP, STEP * 3 / 2]);
    let rested_until = Instant::now() + Duration::from_millis(5);
    pace.rest_until(rested_until).await;
    // One that began before, and ends after the rest was set.
    assert_eq!(pace.add(begun, STEP), STEP * 2);
    assert_eq!(pace.add(rested_until, STEP * 2), STEP);
    assert_eq!(pace.add(rested_until, STEP), STEP * 3 / 2);
}

#[test]
fn steps_of_a_quiet_ledger_do_not_add_up() {
    let pace = FollowerPace::new(2);
    let mut begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(pace.add(begun, STEP), STEP / 2);
        begun += STEP + Duration::from_millis(100);
    }
}

#[tokio::test]
async fn all_go_on_when_the_longest_rest_is_over() {
    let pace = FollowerPace::new(2);
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
