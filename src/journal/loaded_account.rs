//! What is known of an account, and up to which event?

use crate::domain::{account::Account, ids::AccountId};

use super::merkle::MerkleHash;

/// An account up to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedAccount {
    pub id: AccountId,
    pub state: Account,
    /// The leaf hash of its last event, which identifies the state. `None`: it has no events.
    pub tail: Option<MerkleHash>,
}

impl LoadedAccount {
    #[must_use]
    pub const fn nothing(id: AccountId) -> Self {
        Self { id, state: Account::Unopened, tail: None }
    }

    /// The sequence of its last event; 0 if it has none.
    #[must_use]
    pub fn sequence(&self) -> i64 {
        i64::try_from(self.state.version()).unwrap_or(i64::MAX)
    }
}
