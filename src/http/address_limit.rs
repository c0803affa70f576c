//! How often may a caller without a key call?
//! Each address has its own limit, so that one visitor cannot keep others away.
//!
//! Behind a proxy that the settings do not name, all visitors have the proxy's address, so the limit is generous.
//! Answers to visitors may be cached.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};

/// How many addresses are remembered. If there are more, those that have not called lately are forgotten.
const ADDRESSES_MAX: usize = 100_000;

/// The part of an IPv6 address that identifies a visitor: a provider's customer usually has a whole network of this
/// size.
const IPV6_NETWORK: u128 = !0 << 64;

/// The address from which a connection comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The rate limits of all visitors.
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

    /// Counts a visit as `weight` visits.
    ///
    /// # Errors
    /// If it exceeds the limit: the seconds until the next visit is possible.
    pub fn count(&self, address: IpAddr, weight: u32) -> Result<(), u64> {
        let (Some(buckets), Some(weight)) = (&self.buckets, NonZeroU32::new(weight)) else { return Ok(()) };
        if buckets.len() > ADDRESSES_MAX {
            buckets.retain_recent();
        }
        // A weight above the limit counts as the whole limit, so that one such visit is possible.
        let counted = buckets.check_key_n(&network(address), weight.min(self.limit));
        counted
            .unwrap_or(Ok(()))
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
    }
}

/// The part of an address that is counted: an IPv4 address, or the network of an IPv6 address.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}
