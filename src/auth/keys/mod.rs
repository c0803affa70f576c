//! Which API keys are there? They are made once, shown once, and stored as hashes.

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

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// A name for people.
    pub name: String,
    /// Only visible in the secret's first characters, so that nobody confuses test and live keys.
    pub mode: Mode,
    pub scopes: BTreeSet<KeyScope>,
    /// The only accounts that it may use. `None`: all.
    pub accounts: Option<BTreeSet<AccountId>>,
    pub expires_at: Option<Timestamp>,
    /// `None`: the server's default; 0: no limit.
    pub requests_per_minute: Option<u32>,
}

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// The first characters of a secret that was made here; empty for one from a setting.
    pub prefix: String,
    pub scopes: BTreeSet<KeyScope>,
    pub accounts: Option<BTreeSet<AccountId>>,
    pub requests_per_minute: Option<u32>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key that has just been made, with its secret, which is not shown again.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    pub key: ApiKey,
    pub secret: KeySecret,
}

/// Where the first key came from.
#[derive(Clone, Debug)]
pub enum Bootstrap {
    /// The key of the setting, with all scopes and no rate limit, unless it was revoked.
    Given(GivenKeyState),
    /// There were keys already, and the setting has none.
    Exists,
    /// There were no keys, so this one was made and has to be shown.
    Made(Box<CreatedKey>),
}

/// The state of the key of the setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenKeyState {
    /// Whether it was revoked or has expired.
    pub has_ended: bool,
    /// The ids of keys of earlier starts that still have all scopes.
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
    #[error("the first key could not be shown to anybody, so none was made")]
    NotKept(#[source] std::io::Error),
}
