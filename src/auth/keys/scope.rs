//! What may a key be used for?

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Something that a key may do. `admin` includes all other scopes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum KeyScope {
    /// Open accounts, spend, hold, commit, release and refund credits.
    Deduct,
    /// See accounts.
    Read,
    /// See revenue, and what belongs to payments.
    Billing,
    /// Replay accounts and verify the journal.
    Audit,
    /// Grant and take credits, forgive debt, close accounts, manage the inbox and the read models.
    Operate,
    /// Everything, API keys included.
    Admin,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; there are deduct, read, billing, audit, operate and admin")]
pub struct UnknownScope(String);

impl KeyScope {
    pub const ALL: [Self; 6] =
        [Self::Deduct, Self::Read, Self::Billing, Self::Audit, Self::Operate, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for KeyScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}
