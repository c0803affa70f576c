//! Is each delay twice the one before, within its bounds, and does trying come to an end?

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Backoff, NextAttempt, Retries};
use crate::domain::time::Timestamp;

const DAY_S: i64 = 86_400;

fn backoffs() -> impl Strategy<Value = Backoff> {
    (1..=DAY_S, 1..=DAY_S)
        .prop_map(|(one, other)| Backoff { delay_s_min: one.min(other), delay_s_max: one.max(other) })
}

#[test]
fn delays_double_until_the_longest() {
    let of = |delay_s_min, delay_s_max| Backoff { delay_s_min, delay_s_max }.delays_s();
    assert_eq!(of(1, 10), [1, 2, 4, 8, 10]);
    assert_eq!(of(60, 3_600), [60, 120, 240, 480, 960, 1_920, 3_600]);
    assert_eq!(of(5, 5), [5]);
    assert_eq!(of(10, 5), [5], "never longer than the longest");
}

#[test]
fn the_last_attempt_is_given_up_after_as_many_as_were_allowed() {
    let retries = Retries { attempts_max: 3, backoff: Backoff { delay_s_min: 10, delay_s_max: 15 } };
    let noon = Timestamp::parse("2026-11-20T12:00:00Z").expect("a time");
    let next = [1, 2, 3, 4].map(|attempts| match retries.after(attempts, noon) {
        NextAttempt::At(time) => Some(time.seconds() - noon.seconds()),
        NextAttempt::Never => None,
    });
    assert_eq!(next, [Some(10), Some(15), None, None]);
}

proptest! {
    #[test]
    fn each_delay_is_twice_the_one_before_within_its_bounds(backoff in backoffs(), attempts in 1..=1_000_i32) {
        let (delay, next) = (backoff.delay(attempts).num_seconds(), backoff.delay(attempts + 1).num_seconds());
        prop_assert!((backoff.delay_s_min..=backoff.delay_s_max).contains(&delay));
        prop_assert_eq!(next, (delay * 2).min(backoff.delay_s_max));
        prop_assert_eq!(backoff.delay(1).num_seconds(), backoff.delay_s_min);
    }

    #[test]
    fn a_claim_and_an_attempt_wait_equally_long(backoff in backoffs(), attempts in 1..=100_i32) {
        let delays = backoff.delays_s();
        let place = usize::try_from(attempts - 1).expect("not negative").min(delays.len() - 1);
        prop_assert_eq!(backoff.delay(attempts).num_seconds(), delays[place]);
    }

    #[test]
    fn any_numbers_have_an_answer(
        delay_s_min in any::<i64>(),
        delay_s_max in any::<i64>(),
        attempts_max in any::<i32>(),
        attempts in any::<i32>(),
    ) {
        let retries = Retries { attempts_max, backoff: Backoff { delay_s_min, delay_s_max } };
        let next = retries.after(attempts, Timestamp::from_micros(0).expect("a time"));
        prop_assert_eq!(next == NextAttempt::Never, attempts >= attempts_max);
    }
}
