//! How does a customer become an account's, where a caller says so and not Stripe? By a command that the ledger records, and
//! only while it is nobody else's.

use crate::{
    domain::{
        names::{AccountId, ProviderId},
        refusal::Refusal,
    },
    ledger::{Answer, ExecuteError, Ledger, Request, ViewError},
};

use super::inbox::links::{Begun, CustomerLinks, Term};

/// Executes a command that makes a customer its account's, unless it is another's, and has what Stripe tells of the customer
/// find the account from then on.
///
/// # Errors
/// When the database does not answer. The same again does what is missing then.
pub(super) async fn execute(
    (ledger, links): (&Ledger, &CustomerLinks),
    customer: ProviderId,
    request: Request,
) -> Result<Answer, ViewError> {
    let account = request.account.clone();
    let begun = begin((ledger, links), &customer, &account, Term::Command).await?;
    if matches!(begun, Begun::Taken | Begun::Forgotten(_)) {
        return Ok(Err(ExecuteError::Refused(Refusal::CustomerTaken)));
    }
    let answer = ledger.execute(request).await;
    match &answer {
        Ok(_) if begun == Begun::There => {}
        Ok(_) => links.keep(customer, account, ledger.clock().now()).await?,
        // It may have become the account's, which the same command will tell, or whoever asks the ledger.
        Err(ExecuteError::OutcomeUnknown) => {}
        Err(
            ExecuteError::Refused(_)
            | ExecuteError::KeyReused
            | ExecuteError::Overloaded
            | ExecuteError::Unavailable
            | ExecuteError::ClockBehind { .. }
            | ExecuteError::Damaged,
        ) => {
            if begun == Begun::Ours {
                links.abandon(&customer, &account).await?;
            }
        }
    }
    Ok(answer)
}

/// Begins to make a customer an account's. What another account began long ago, and whose end nobody knows, is looked up in
/// the ledger.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn begin(
    (ledger, links): (&Ledger, &CustomerLinks),
    customer: &ProviderId,
    account: &AccountId,
    term: Term,
) -> Result<Begun, ViewError> {
    let other = match links.begin(customer, account, term).await? {
        Begun::Forgotten(other) => other,
        begun @ (Begun::There | Begun::Ours | Begun::Taken) => return Ok(begun),
    };
    let view = ledger.view(&other).await?;
    if view.account.opened().is_some_and(|open| open.customers.contains_key(customer)) {
        links.keep(customer.clone(), other, ledger.clock().now()).await?;
        return Ok(Begun::Taken);
    }
    Ok(links.take_over(customer, (account, &other), term).await?)
}
