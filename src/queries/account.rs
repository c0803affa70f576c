//! What is an account now? With all that is due by the clock, whether or not it has been recorded.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use crate::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Catalog,
        decide::Context,
        ids::AccountId,
        recorded::JournalPosition,
        refusal::Refusal,
        time::Timestamp,
    },
    ledger::Ledger,
};

use super::QueryError;

/// How many ends may be due until it is worked out beside all that must not wait.
const DUE_AT_ONCE_MAX: usize = 200;

/// One at a time: whoever asks for accounts with thousands of ends waits for others who do.
static MANY_DUE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// An account at a moment.
#[derive(Clone, Debug)]
pub struct AccountNow {
    pub account: Account,
    pub at: Timestamp,
    /// The journal's last position that it was read at.
    pub position: JournalPosition,
}

impl AccountNow {
    /// # Errors
    /// When there is no such account.
    pub fn opened(&self) -> Result<&OpenAccount, Refusal> {
        self.account.opened().ok_or(Refusal::AccountNotFound)
    }

    /// When the plan gives credits again. To a closed account it gives none.
    #[must_use]
    pub fn next_credits_at(&self, catalog: &Catalog) -> Option<Timestamp> {
        match &self.account {
            Account::Open(opened) => opened.next_credits_at(self.at, catalog),
            Account::Unopened | Account::Closed(_) => None,
        }
    }
}

/// How much of what an account has is over, and has not been recorded to be.
fn ended(account: &OpenAccount, at: Timestamp) -> usize {
    let wallet = &account.wallet;
    let grants = wallet.open().iter().filter(|grant| grant.has_ended(at) && !grant.remaining.is_zero());
    wallet.holds.expired(at).count().saturating_add(grants.count())
}

/// # Errors
/// When the database does not answer, or the account's history cannot be followed.
pub async fn account_now(ledger: &Ledger, id: &AccountId) -> Result<AccountNow, QueryError> {
    let view = ledger.view(id).await?;
    let (account, position, at) = (view.account, view.position, ledger.clock().now());
    let due = account.opened().map_or(0, |account| ended(account, at));
    let account = if due > DUE_AT_ONCE_MAX {
        // It is never closed. The turn lasts as long as the work, also when whoever asked has gone.
        let turn = Arc::clone(&MANY_DUE).acquire_owned().await;
        let ledger = ledger.clone();
        let settle = move || {
            let settled = account.settled_at(Context { at, catalog: ledger.catalog() });
            drop(turn);
            settled
        };
        tokio::task::spawn_blocking(settle).await?
    } else {
        account.settled_at(Context { at, catalog: ledger.catalog() })
    };
    Ok(AccountNow { account: account.map_err(QueryError::Unsettled)?, at, position })
}
