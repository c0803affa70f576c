//! How is a customer linked to an account that moves in?

use crate::{
    domain::{
        command::{AccountCommand, Command},
        ids::AccountId,
        moving::ImportAccount,
    },
    ledger::{ExecuteResult, IdempotencyKey, Ledger, Provenance, Request, ViewError},
};

use super::{accounts::linking, inbox::Inbox};

/// What makes an account what it was elsewhere.
#[must_use]
pub fn request(account: AccountId, import: ImportAccount, provenance: Provenance) -> Request {
    let command = Command::Account(AccountCommand::ImportAccount(Box::new(import)));
    Request::new(account, command, IdempotencyKey::importing(), provenance)
}

/// Opens an account as it was elsewhere, and lets what Stripe tells of its customer find it. A customer that stands for
/// another account is not taken over.
///
/// # Errors
/// When the inbox does not answer. The same import again does what is missing then.
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
        // What waited for the link may be due.
        inbox.wake();
    }
    Ok(answer)
}
