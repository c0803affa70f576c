//! What is stored about two subscriptions of an account that may have only one?

use serde::{Deserialize, Serialize};

/// Two subscriptions of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Two {
    pub subscriptions: [String; 2],
}

/// What was done about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoSettled {
    /// The cancelled subscription. `None`: none was cancelled.
    pub cancelled: Option<String>,
}
