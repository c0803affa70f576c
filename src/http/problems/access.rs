//! Why is a caller refused, whatever the request is?

use crate::{
    auth::keys::{AuthError, KeyScope},
    ledger::ExecuteError,
};

use super::{Explain, Explanation, RetryAfter, explain};

/// Why a caller may not do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// No key was sent.
    NoKey,
    /// What was sent is no bearer token.
    NotBearer,
    KeyUnknown,
    KeyExpired,
    /// The key needs one of these.
    ScopeMissing(&'static [KeyScope]),
    AccountNotAllowed,
    RateLimited {
        wait_s: u64,
    },
}

explain! {
    AccessError, also {
        Self::NotBearer => Self::NoKey
            .explain()
            .says("The header `Authorization` is not `Bearer`, a space and an API key.".to_owned()),
    };

    Self::NoKey => Unauthenticated = UNAUTHORIZED, "unauthenticated", "No API key was sent",
        "Send `Authorization: Bearer cf_…`. `counterfoil keys create` makes a key.";
    Self::KeyUnknown => ApiKeyInvalid = UNAUTHORIZED, "api_key_invalid", "The API key is not valid",
        "Check that it was copied whole, and that it was not revoked.";
    Self::KeyExpired => ApiKeyExpired = UNAUTHORIZED, "api_key_expired", "The API key has expired",
        "Make a new one with `counterfoil keys create`.";
    Self::ScopeMissing(scopes) => ScopeMissing = FORBIDDEN, "scope_missing", "The API key may not do this",
        "Use a key that has one of `scopes`.",
        with {
            /// The key needs one of these.
            scopes: Vec<KeyScope> = scopes.iter().chain([&KeyScope::Admin]).collect::<Vec<_>>(),
        };
    Self::AccountNotAllowed =>
        AccountNotAllowed = FORBIDDEN, "account_not_allowed", "The API key may not use this account",
        "Use a key without a list of accounts, or with one that has this account.";
    Self::RateLimited { wait_s } => RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests",
        "Wait for `Retry-After` seconds.",
        says format!("The next request is possible in {wait_s} s."),
        after RetryAfter::Seconds(wait_s);
}

impl Explain for AuthError {
    fn explain(self) -> Explanation {
        match self {
            Self::NoKey => AccessError::NoKey.explain(),
            Self::NotBearer => AccessError::NotBearer.explain(),
            Self::Unknown | Self::Revoked => AccessError::KeyUnknown.explain(),
            Self::Expired => AccessError::KeyExpired.explain(),
            Self::Busy => ExecuteError::Overloaded.explain(),
            Self::Fault(error) => error.explain(),
        }
    }
}
