//! What is an account once everything that is due has happened?

use std::borrow::Cow;

use super::{Account, ClosedAccount};
use crate::{
    decide::{Context, settled},
    refusal::Refusal,
};

impl Account {
    /// The account after all that is due by `context.at`: ends of grants and holds, and months that have begun.
    /// Nothing is recorded.
    ///
    /// # Errors
    /// If a sum of something due is too large.
    pub fn settled_at(self, context: Context<'_>) -> Result<Self, Refusal> {
        let last = match &self {
            Self::Unopened => return Ok(self),
            Self::Open(account) => settled(account, false, context)?,
            Self::Closed(closed) => settled(&closed.last, true, context)?,
        };
        let Cow::Owned(last) = last else { return Ok(self) };
        Ok(match self {
            Self::Unopened | Self::Open(_) => Self::Open(last),
            Self::Closed(closed) => Self::Closed(ClosedAccount { last, ..closed }),
        })
    }
}
