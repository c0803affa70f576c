//! Who tries invalid keys?
//! Each address is logged once a minute, and not for each attempt: callers without a key must not be able to fill the
//! disk.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use quick_cache::sync::Cache;

use super::address_limit::network;

/// How long an address is not logged again.
const QUIET: Duration = Duration::from_secs(60);
/// How many addresses are remembered.
const ADDRESSES_MAX: usize = 10_000;
/// The most lines a minute for all addresses.
const LINES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// Which addresses with invalid keys were logged.
#[derive(Debug)]
pub struct RefusedKeys {
    said: Cache<IpAddr, Instant>,
    lines: DefaultDirectRateLimiter,
    unsaid: AtomicU64,
    one_at_a_time: Mutex<()>,
}

impl Default for RefusedKeys {
    fn default() -> Self {
        Self {
            said: Cache::new(ADDRESSES_MAX),
            lines: RateLimiter::direct(Quota::per_minute(LINES_PER_MINUTE)),
            unsaid: AtomicU64::new(0),
            one_at_a_time: Mutex::default(),
        }
    }
}

impl RefusedKeys {
    /// Counts an attempt. `Some`: it should be logged, with the number of attempts that were not.
    #[must_use]
    pub fn count(&self, address: Option<IpAddr>) -> Option<u64> {
        let address = network(address.unwrap_or(IpAddr::from([0, 0, 0, 0])));
        let _alone = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = self.said.get(&address).is_some_and(|said| said.elapsed() < QUIET);
        if is_quiet || self.lines.check().is_err() {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.said.insert(address, Instant::now());
        Some(self.unsaid.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_line_a_minute_and_all_of_them_have_sixty() {
        let refused = RefusedKeys::default();
        let address = |last| Some(IpAddr::from([203, 0, 113, last]));
        assert_eq!(refused.count(address(0)), Some(0));
        for _ in 0..5 {
            assert_eq!(refused.count(address(0)), None);
        }
        assert_eq!(refused.count(address(1)), Some(5), "how many had no line is said with the next one");
        let lines = (2..255).filter(|last| refused.count(address(*last)).is_some()).count();
        assert!((57..=60).contains(&lines), "{lines}");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let refused = RefusedKeys::default();
        assert_eq!(refused.count("2001:db8::1".parse().ok()), Some(0));
        assert_eq!(refused.count("2001:db8::2".parse().ok()), None);
        assert_eq!(refused.count("2001:db8:0:1::1".parse().ok()), Some(1));
    }
}
