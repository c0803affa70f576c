//! An account moves in: whose customer is it at Stripe from then on?

use crate::{
    domain::{command::Command, moving::ImportAccount, names::AccountId, refusal::Refusal},
    ledger::{Answer, ExecuteError, Key, Ledger, Provenance, Request},
};

use super::inbox::Inbox;

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
) -> Result<Answer, sqlx::Error> {
    let customer = import.customer.clone();
    if let Some(customer) = &customer
        && inbox.stands_for_another(customer, &account).await?
    {
        return Ok(Err(ExecuteError::Refused(Refusal::CustomerTaken)));
    }
    let command = Command::ImportAccount(Box::new(import));
    let request = Request { account: account.clone(), command, key: Key::importing(), provenance };
    let answer = ledger.execute(request).await;
    if let (Ok(_), Some(customer)) = (&answer, customer) {
        inbox.link(customer, account, ledger.clock().now()).await?;
    }
    Ok(answer)
}
