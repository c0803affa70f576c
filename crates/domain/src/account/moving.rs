//! What does an account that moves in have when it opens?

use super::OpenAccount;
use crate::{ids::PlanId, moving::MovedIn, time::Timestamp};

impl OpenAccount {
    /// A new account, with what it had elsewhere if it moves in.
    #[must_use]
    pub fn opened(free_plan: PlanId, moved_in: Option<&MovedIn>, opened_at: Timestamp) -> Self {
        let mut account = Self::new(free_plan, opened_at);
        if let Some(MovedIn { as_of, windows, debt }) = moved_in {
            account.usage.add(windows);
            account.wallet.debt = *debt;
            account.subscriptions.move_in(*as_of);
        }
        account
    }

    /// Whether a payment of `paid_at` was granted elsewhere, because it came before the account moved in.
    #[must_use]
    pub fn was_elsewhere(&self, paid_at: Timestamp) -> bool {
        self.subscriptions.moved_in().is_some_and(|moved_in| paid_at < moved_in)
    }
}
