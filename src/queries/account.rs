//! What is the state of an account now? It includes all that is due, whether or not it was recorded.

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

/// If more ends than this are due, they are applied in a thread of its own, so that other work is not delayed.
const DUE_AT_ONCE_MAX: usize = 200;

/// Only one such computation runs at a time: callers that ask for accounts with thousands of ends wait for each other.
static MANY_DUE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// An account at a time.
#[derive(Clone, Debug)]
pub struct AccountNow {
    pub account: Account,
    pub at: Timestamp,
    /// The position of the journal at which it was read.
    pub position: JournalPosition,
}

impl AccountNow {
    /// # Errors
    /// If there is no such account.
    pub fn opened(&self) -> Result<&OpenAccount, Refusal> {
        self.account.opened().ok_or(Refusal::AccountNotFound)
    }

    /// When the plan gives the next credits. A closed account gets none.
    #[must_use]
    pub fn next_credits_at(&self, catalog: &Catalog) -> Option<Timestamp> {
        match &self.account {
            Account::Open(opened) => opened.next_credits_at(self.at, catalog),
            Account::Unopened | Account::Closed(_) => None,
        }
    }
}

/// How many grants and holds have ended without a recorded event.
fn ended(account: &OpenAccount, at: Timestamp) -> usize {
    let wallet = &account.wallet;
    let grants = wallet.open().iter().filter(|grant| grant.has_ended(at) && !grant.remaining.is_zero());
    wallet.holds.expired(at).count().saturating_add(grants.count())
}

/// # Errors
/// If the database does not answer, or the account's history is damaged.
pub async fn account_now(ledger: &Ledger, id: &AccountId) -> Result<AccountNow, QueryError> {
    let view = ledger.view(id).await?;
    let (account, position, at) = (view.account, view.position, ledger.clock().now());
    let due = account.opened().map_or(0, |account| ended(account, at));
    let account = if due > DUE_AT_ONCE_MAX {
        // The semaphore is never closed. The turn lasts until the work is done, even if the caller has disconnected.
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
