//! Who may call? API keys: made once, shown once, kept as hashes.

mod cache;
mod scope;
mod secret;
mod table;

use std::collections::BTreeSet;

use serde::Serialize;

pub use cache::{AuthError, Caller, KeyCache};
pub use scope::{KeyScope, UnknownScope};
pub use secret::{InvalidSecret, KeySecret, SECRET_BYTES_MAX, SECRET_BYTES_MIN, SecretHash};
pub use table::{bootstrap, create, list, revoke};

use crate::{
    catalog::Mode,
    domain::{ids::AccountId, time::Timestamp},
};

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// Only shows in the secret's first characters, so that nobody takes one for the other.
    pub mode: Mode,
    pub scopes: BTreeSet<KeyScope>,
    /// The only accounts that it may use. `None`: all.
    pub accounts: Option<BTreeSet<AccountId>>,
    pub expires_at: Option<Timestamp>,
    /// `None`: the server's default; 0: no limit.
    pub requests_per_minute: Option<u32>,
}

/// A key as it can be shown to anybody who may see keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// The first characters of a made secret; empty for one that was given.
    pub prefix: String,
    pub scopes: BTreeSet<KeyScope>,
    pub accounts: Option<BTreeSet<AccountId>>,
    pub requests_per_minute: Option<u32>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key that has just been made, with the secret that is never shown again.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    pub key: ApiKey,
    pub secret: KeySecret,
}

/// How the first key came to be.
#[derive(Clone, Debug)]
pub enum Bootstrap {
    /// The given key is there now, with every scope and no rate limit, unless somebody has ended it.
    Given(GivenKeyState),
    /// There were keys already, and none was given.
    Exists,
    /// There were none, and this one was made: show it.
    Made(Box<CreatedKey>),
}

/// What there is to say about a key that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenKeyState {
    /// It was revoked, or its time is over: it opens nothing.
    pub has_ended: bool,
    /// The ids of keys that earlier starts were given or made, and that still open everything.
    pub earlier: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("a stored key cannot be read: {0}")]
    Stored(String),
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error("a key has at least one scope")]
    NoScope,
    #[error("nobody would ever see the first key, so none was made")]
    NotKept(#[source] std::io::Error),
}
