//! How fast may a caller call? A bucket for each key, told of in every answer.
//!
//! The headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` says what holds,
//! `RateLimit` what is left of it.

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

/// The bucket of one key.
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

/// What a request leaves of the bucket.
#[derive(Clone, Debug)]
pub struct RateLimitState {
    policy: Option<HeaderValue>,
    per_minute: u32,
    remaining: u32,
    /// Seconds until a request is allowed again; 0 while there is something left.
    pub wait_s: u64,
}

/// Too many requests, and where the caller stands.
#[derive(Clone, Debug)]
pub struct TooMany(pub RateLimitState);

impl RateLimit {
    /// `None` for 0, which means that there is no limit.
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

    /// Counts a request, or so many at once.
    ///
    /// # Errors
    /// When there is not enough left for all of them; none is counted then.
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
            // More than the bucket holds: there is never enough left for so many.
            Err(_) => Err(TooMany(standing(0, u64::from(WINDOW_S)))),
        }
    }
}

impl RateLimitState {
    /// Tells the caller where it stands.
    pub fn write(&self, headers: &mut HeaderMap) {
        // The bucket fills evenly: so many seconds until it is full again.
        let missing = u64::from(self.per_minute.saturating_sub(self.remaining));
        let full_in = missing.saturating_mul(u64::from(WINDOW_S)).div_ceil(u64::from(self.per_minute.max(1)));
        let state = format!("\"default\";r={};t={}", self.remaining, full_in.max(self.wait_s));
        if let (Some(policy), Ok(state)) = (&self.policy, HeaderValue::try_from(state)) {
            headers.insert(POLICY, policy.clone());
            headers.insert(STATE, state);
        }
    }
}
