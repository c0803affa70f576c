//! Whose events are accepted here?

use std::collections::BTreeSet;

/// Which of Stripe's two worlds this deployment belongs to. Nothing may cross over from the other one.
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

/// Whose events are accepted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub mode: StripeMode,
    /// The connected accounts (`acct_…`) whose events count as our own; usually none.
    pub connect_accounts: BTreeSet<String>,
}

impl Deployment {
    /// A deployment without connected accounts.
    #[must_use]
    pub const fn new(mode: StripeMode) -> Self {
        Self { mode, connect_accounts: BTreeSet::new() }
    }
}
