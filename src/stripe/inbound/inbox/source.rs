//! Why is an event trusted?

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// Stored under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Proof {
    /// It was delivered, and signed with one of the configured secrets.
    Signed,
    /// It was read from Stripe's list of events, with our key.
    Listed,
    /// It was made from an object that was read from Stripe with our key, because there is no event about it.
    Rebuilt,
}

/// How an event was obtained that was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    Listed,
    Rebuilt,
}

impl Proof {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl From<Fetched> for Proof {
    fn from(fetched: Fetched) -> Self {
        match fetched {
            Fetched::Listed => Self::Listed,
            Fetched::Rebuilt => Self::Rebuilt,
        }
    }
}
