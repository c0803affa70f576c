//! How is the customer of an account that moves in linked?

use crate::{
    domain::{
        command::{AccountCommand, Command},
        ids::AccountId,
        moving::ImportAccount,
    },
    ledger::{ExecuteResult, IdempotencyKey, Ledger, Provenance, Request, ViewError},
};

use super::{accounts::linking, inbox::Inbox};

/// The request that imports an account.
#[must_use]
pub fn request(account: AccountId, import: ImportAccount, provenance: Provenance) -> Request {
    let command = Command::Account(AccountCommand::ImportAccount(Box::new(import)));
    Request::new(account, command, IdempotencyKey::importing(), provenance)
}

/// Imports an account and links its customer, so that Stripe's events about it find the account.
/// A customer that is linked to another account is refused.
///
/// # Errors
/// If the inbox does not answer. The same import again then completes it.
pub async fn import(
    (ledger, inbox): (&Ledger, &Inbox),
    account: AccountId,
    import: ImportAccount,
    provenance: Provenance,
) -> Result<ExecuteResult, ViewError> {
    let customer = import.customer.clone();
    let request = request(account, import, provenance);
    let Some(customer) = customer else { return Ok(ledger.execute(request).await) };
    let answer = linking::execute((ledger, inbox.customer_links()), customer, request).await?;
    if answer.is_ok() {
        // Events that waited for the link may be due.
        inbox.wake();
    }
    Ok(answer)
}
