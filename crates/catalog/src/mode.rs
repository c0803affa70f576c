//! Which of Stripe's modes is this, test or live?
//! A Stripe account has two separate sets of objects, and an id of one does not exist in the other.

use std::fmt;

/// Which set of price ids is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    Test,
    Live,
}

impl Mode {
    /// The mode of a Stripe secret or restricted key; `None` if the text is neither.
    #[must_use]
    pub fn of_secret_key(key: &str) -> Option<Self> {
        match key {
            key if key.starts_with("sk_test_") || key.starts_with("rk_test_") => Some(Self::Test),
            key if key.starts_with("sk_live_") || key.starts_with("rk_live_") => Some(Self::Live),
            _ => None,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Test => Self::Live,
            Self::Live => Self::Test,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
