//! Who is the caller, without a database query for each request?
//!
//! A key that was read is trusted for a few seconds.
//! A revocation may take that long to be noticed; in exchange, a deduction needs no query for its key.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use chrono::TimeDelta;
use quick_cache::sync::Cache;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::{
    auth::{
        bearer::{self, NoBearer},
        rate_limit::{RateLimit, RateLimitState, TooMany},
    },
    clock::Clock,
    domain::{
        ids::{AccountId, Actor},
        time::Timestamp,
    },
};

use super::{ApiKey, KeyError, KeyScope, SECRET_BYTES_MAX, SecretHash, table};

/// How long a key that was read is trusted.
const FRESH: Duration = Duration::from_secs(3);
/// How long it is used at most, while it is being read again or the database does not answer.
const STALE: Duration = Duration::from_secs(10);
/// How many keys are remembered.
const KEYS_MAX: usize = 10_000;
/// How many keys are looked up at a time, so that guessing keys cannot use up all database connections.
const LOOKUPS_MAX: usize = 4;
/// How long a request waits for its key to be looked up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// By how much the stored time of the last use may lag.
const LAST_USED_STEP: TimeDelta = TimeDelta::minutes(1);

/// The sender of a request.
#[derive(Debug)]
pub struct Caller {
    pub key_id: String,
    /// The key's id, as events have it.
    pub actor: Actor,
    scopes: BTreeSet<KeyScope>,
    accounts: Option<BTreeSet<AccountId>>,
    expires_at: Option<Timestamp>,
    pub rate: Option<Arc<RateLimit>>,
}

impl Caller {
    /// Whether the key has any of `scopes`.
    #[must_use]
    pub fn may(&self, scopes: &[KeyScope]) -> bool {
        self.scopes.contains(&KeyScope::Admin) || scopes.iter().any(|scope| self.scopes.contains(scope))
    }

    #[must_use]
    pub fn may_use(&self, account: &AccountId) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
    }

    /// The only accounts that it may use. `None`: all.
    #[must_use]
    pub const fn accounts(&self) -> Option<&BTreeSet<AccountId>> {
        self.accounts.as_ref()
    }

    /// Counts requests against the key's rate limit, if it has one.
    ///
    /// # Errors
    /// If there are too many; then none is counted.
    pub fn count(&self, requests: NonZeroU32) -> Result<Option<RateLimitState>, TooMany> {
        self.rate.as_ref().map(|rate| rate.count(requests)).transpose()
    }

    /// Whether it may see what belongs to all accounts together.
    #[must_use]
    pub const fn may_use_all(&self) -> bool {
        self.accounts.is_none()
    }
}

/// Why the caller is not known.
#[derive(Debug)]
pub enum AuthError {
    /// No key was sent.
    NoKey,
    /// What was sent is no bearer token.
    NotBearer,
    Unknown,
    Expired,
    Revoked,
    /// Too many keys are being looked up.
    Busy,
    Fault(KeyError),
}

#[derive(Debug)]
struct CachedKey {
    caller: Arc<Caller>,
    read_at: Instant,
    renewing: AtomicBool,
}

/// The keys that were used lately.
#[derive(Debug)]
pub struct KeyCache {
    pool: PgPool,
    clock: Clock,
    rate_default: Option<u32>,
    known: Cache<SecretHash, Arc<CachedKey>>,
    lookups: Semaphore,
}

impl KeyCache {
    /// `rate_default` is in requests a minute; `None`: no limit.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock, rate_default: Option<u32>) -> Self {
        let known = Cache::new(KEYS_MAX);
        Self { pool, clock, rate_default, known, lookups: Semaphore::new(LOOKUPS_MAX) }
    }

    /// The sender of a request with these headers.
    ///
    /// # Errors
    /// If they have no valid key, or if that cannot be checked now.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Caller>, AuthError> {
        let secret = bearer::find(headers).map_err(|why| match why {
            NoBearer::NoHeader => AuthError::NoKey,
            NoBearer::OtherForm => AuthError::NotBearer,
        })?;
        if secret.len() > SECRET_BYTES_MAX {
            return Err(AuthError::Unknown);
        }
        let hash = SecretHash::of(secret);
        let caller = match self.known.get(&hash) {
            Some(entry) if entry.is_good_enough() => Arc::clone(&entry.caller),
            earlier => {
                let found = tokio::time::timeout(LOOKUP_TIMEOUT, self.look_up(hash, earlier)).await;
                found.unwrap_or(Err(AuthError::Busy))?
            }
        };
        if caller.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(AuthError::Expired);
        }
        Ok(caller)
    }

    /// Drops a key from memory, so that a change that was made here is seen at once.
    pub fn forget(&self, id: &str) {
        self.known.retain(|_, entry| entry.caller.key_id != id);
    }

    async fn look_up(
        &self,
        hash: SecretHash,
        earlier: Option<Arc<CachedKey>>,
    ) -> Result<Arc<Caller>, AuthError> {
        match earlier {
            Some(earlier) if earlier.age() < STALE => self.renew(hash, &earlier).await,
            earlier => self.join(hash, earlier.and_then(|entry| entry.caller.rate.clone())).await,
        }
    }

    /// Reads a key again. Other requests with it use what is known meanwhile.
    async fn renew(&self, hash: SecretHash, earlier: &CachedKey) -> Result<Arc<Caller>, AuthError> {
        match self.read(hash, earlier.caller.rate.clone()).await {
            Ok(entry) => {
                let caller = Arc::clone(&entry.caller);
                self.known.insert(hash, entry);
                Ok(caller)
            }
            // A database that does not answer for a moment is no reason to refuse a key that was valid a moment ago.
            Err(AuthError::Fault(_) | AuthError::Busy) => {
                earlier.renewing.store(false, Ordering::Release);
                Ok(Arc::clone(&earlier.caller))
            }
            Err(error) => {
                self.known.remove(&hash);
                Err(error)
            }
        }
    }

    /// Reads a key that is not known, or too old. Of several requests at once, one reads and the others wait.
    async fn join(&self, hash: SecretHash, rate: Option<Arc<RateLimit>>) -> Result<Arc<Caller>, AuthError> {
        self.known.remove_if(&hash, |entry| entry.age() >= STALE);
        match self.known.get_value_or_guard_async(&hash).await {
            Ok(entry) => Ok(Arc::clone(&entry.caller)),
            Err(place) => {
                let entry = self.read(hash, rate).await?;
                let caller = Arc::clone(&entry.caller);
                // If the key was dropped meanwhile, the next request reads it again.
                let _forgotten = place.insert(entry);
                Ok(caller)
            }
        }
    }

    async fn read(
        &self,
        hash: SecretHash,
        rate: Option<Arc<RateLimit>>,
    ) -> Result<Arc<CachedKey>, AuthError> {
        let _turn = self.lookups.acquire().await.map_err(|_| AuthError::Busy)?;
        let fault = |error: sqlx::Error| AuthError::Fault(KeyError::from(error));
        let mut connection = self.pool.acquire().await.map_err(fault)?;
        let key = table::find(&mut connection, hash).await.map_err(AuthError::Fault)?;
        let key = key.ok_or(AuthError::Unknown)?;
        if key.revoked_at.is_some() {
            return Err(AuthError::Revoked);
        }
        let now = self.clock.now();
        if key.last_used_at.is_none_or(|used| used.plus(LAST_USED_STEP) <= now) {
            table::touch(&mut connection, &key.id, now).await.map_err(fault)?;
        }
        let caller = Arc::new(self.caller(key, rate)?);
        Ok(Arc::new(CachedKey { caller, read_at: Instant::now(), renewing: AtomicBool::new(false) }))
    }

    fn caller(&self, key: ApiKey, rate: Option<Arc<RateLimit>>) -> Result<Caller, AuthError> {
        let stored = |_| AuthError::Fault(KeyError::Stored(key.id.clone()));
        let actor = Actor::parse(&key.id).map_err(stored)?;
        let per_minute = key.requests_per_minute.map_or(self.rate_default, Some);
        Ok(Caller {
            actor,
            key_id: key.id,
            scopes: key.scopes,
            accounts: key.accounts,
            expires_at: key.expires_at,
            // The used part of the rate limit is kept when the key is read again.
            rate: per_minute.and_then(|limit| {
                let same = rate.filter(|rate| rate.per_minute() == limit);
                same.or_else(|| RateLimit::per_minute_of(limit).map(Arc::new))
            }),
        })
    }
}

impl CachedKey {
    fn age(&self) -> Duration {
        self.read_at.elapsed()
    }

    /// Whether this request can use the key as it is: one request at a time reads an old key again.
    fn is_good_enough(&self) -> bool {
        let age = self.age();
        age < FRESH || (age < STALE && self.renewing.swap(true, Ordering::AcqRel))
    }
}
