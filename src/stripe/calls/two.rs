//! What is written down when an account has two subscriptions where one is sold, and what became of them?

use serde::{Deserialize, Serialize};

/// Two subscriptions of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Two {
    pub subscriptions: [String; 2],
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoSettled {
    /// The one that was cancelled; `None`: none was.
    pub cancelled: Option<String>,
}
