//! Which events are accepted by this deployment?

use std::collections::BTreeSet;

/// Which of Stripe's modes this deployment belongs to. Events of the other mode are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripeMode {
    Test,
    Live,
}

impl StripeMode {
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Test => false,
            Self::Live => true,
        }
    }
}

/// Which events are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub mode: StripeMode,
    /// The connected accounts (`acct_…`) whose events are accepted, too; usually none.
    pub connect_accounts: BTreeSet<String>,
}

impl Deployment {
    /// A deployment without connected accounts.
    #[must_use]
    pub const fn new(mode: StripeMode) -> Self {
        Self { mode, connect_accounts: BTreeSet::new() }
    }
}
