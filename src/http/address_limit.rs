//! How often may somebody call who has no key? A bucket for each address, so that one visitor cannot keep the others
//! away.
//!
//! Behind a proxy that the settings do not name, all visitors have the proxy's address; the limit is generous for that
//! reason. Answers to visitors may be cached.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};

/// How many addresses are remembered before those are forgotten that have not called lately.
const ADDRESSES_MAX: usize = 100_000;

/// How much of an address is one visitor's: what a customer of a provider usually has to himself.
const IPV6_NETWORK: u128 = !0 << 64;

/// Where a request comes from, as the connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The buckets of all visitors.
#[derive(Debug)]
pub struct Visits {
    limit: NonZeroU32,
    buckets: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
}

impl Visits {
    /// `0`: no limit.
    #[must_use]
    pub fn per_minute(limit: u32) -> Self {
        let limit = NonZeroU32::new(limit);
        let buckets = limit.map(|limit| RateLimiter::keyed(Quota::per_minute(limit)));
        Self { limit: limit.unwrap_or(NonZeroU32::MAX), buckets, clock: DefaultClock::default() }
    }

    /// Counts a visit as so many.
    ///
    /// # Errors
    /// With the seconds until the next one, when it is one too many.
    pub fn count(&self, address: IpAddr, weight: u32) -> Result<(), u64> {
        let (Some(buckets), Some(weight)) = (&self.buckets, NonZeroU32::new(weight)) else { return Ok(()) };
        if buckets.len() > ADDRESSES_MAX {
            buckets.retain_recent();
        }
        // A limit that is lower than the weight is for one of them.
        let counted = buckets.check_key_n(&network(address), weight.min(self.limit));
        counted
            .unwrap_or(Ok(()))
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
    }
}

/// What stands for an address: itself, or the network that its owner can take any number of addresses from.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}
