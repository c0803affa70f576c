//! How often may a key be used? Each key has a limit, whose state is in every answer.
//!
//! The headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` has the limit, and `RateLimit`
//! what is left.

use std::num::NonZeroU32;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};

/// Over how many seconds requests are counted.
const WINDOW_S: u32 = 60;
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The rate limit of one key.
pub struct RateLimit {
    per_minute: NonZeroU32,
    bucket: RateLimiter<NotKeyed, InMemoryState, MonotonicClock, StateInformationMiddleware>,
    clock: MonotonicClock,
    policy: Option<HeaderValue>,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RateLimit({} a minute)", self.per_minute)
    }
}

/// The state of the limit after a request.
#[derive(Clone, Debug)]
pub struct RateLimitState {
    policy: Option<HeaderValue>,
    per_minute: u32,
    remaining: u32,
    /// Seconds until a request is allowed again; 0 while there is something left.
    pub wait_s: u64,
}

/// Too many requests, with the state of the limit.
#[derive(Clone, Debug)]
pub struct TooMany(pub RateLimitState);

impl RateLimit {
    /// `None` for 0, which means no limit.
    #[must_use]
    pub fn per_minute_of(limit: u32) -> Option<Self> {
        let per_minute = NonZeroU32::new(limit)?;
        let clock = MonotonicClock;
        Some(Self {
            per_minute,
            bucket: RateLimiter::direct_with_clock(Quota::per_minute(per_minute), clock.clone())
                .with_middleware::<StateInformationMiddleware>(),
            clock,
            policy: HeaderValue::try_from(format!("\"default\";q={per_minute};w={WINDOW_S}")).ok(),
        })
    }

    #[must_use]
    pub const fn per_minute(&self) -> u32 {
        self.per_minute.get()
    }

    /// Counts requests.
    ///
    /// # Errors
    /// If not all of them are allowed; then none is counted.
    pub fn count(&self, requests: NonZeroU32) -> Result<RateLimitState, TooMany> {
        let standing = |remaining, wait_s| RateLimitState {
            policy: self.policy.clone(),
            per_minute: self.per_minute(),
            remaining,
            wait_s,
        };
        match self.bucket.check_n(requests) {
            Ok(Ok(state)) => Ok(standing(state.remaining_burst_capacity(), 0)),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.clock.now());
                Err(TooMany(standing(0, wait.as_secs().saturating_add(1))))
            }
            // The limit never allows this many at once.
            Err(_) => Err(TooMany(standing(0, u64::from(WINDOW_S)))),
        }
    }
}

impl RateLimitState {
    /// Adds the headers with the state of the limit.
    pub fn write(&self, headers: &mut HeaderMap) {
        // The limit recovers evenly: after this many seconds all of it is available again.
        let missing = u64::from(self.per_minute.saturating_sub(self.remaining));
        let full_in = missing.saturating_mul(u64::from(WINDOW_S)).div_ceil(u64::from(self.per_minute.max(1)));
        let state = format!("\"default\";r={};t={}", self.remaining, full_in.max(self.wait_s));
        if let (Some(policy), Ok(state)) = (&self.policy, HeaderValue::try_from(state)) {
            headers.insert(POLICY, policy.clone());
            headers.insert(STATE, state);
        }
    }
}
