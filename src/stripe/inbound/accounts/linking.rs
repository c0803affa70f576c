//! How does a customer become an account's, where a caller says so and not Stripe? By a command that the ledger
//! records, and only while it is nobody else's.

use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        refusal::Refusal,
    },
    ledger::{ExecuteError, ExecuteResult, Ledger, Request, ViewError},
};

use super::customer_links::{CustomerLinks, ReservationResult, ReservationTerm};

/// Executes a command that makes a customer its account's, unless it is another's, and has what Stripe tells of the
/// customer find the account from then on.
///
/// # Errors
/// When the database does not answer. The same again does what is missing then.
pub(in crate::stripe) async fn execute(
    (ledger, links): (&Ledger, &CustomerLinks),
    customer: ProviderId,
    request: Request,
) -> Result<ExecuteResult, ViewError> {
    let account = request.account().clone();
    let begun = begin((ledger, links), &customer, &account, ReservationTerm::Command).await?;
    if matches!(begun, ReservationResult::Taken | ReservationResult::Forgotten(_)) {
        return Ok(Err(ExecuteError::Refused(Refusal::CustomerTaken)));
    }
    let answer = ledger.execute(request).await;
    match &answer {
        Ok(_) if begun == ReservationResult::There => {}
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
            if begun == ReservationResult::Ours {
                links.abandon(&customer, &account).await?;
            }
        }
    }
    Ok(answer)
}

/// Begins to make a customer an account's. What another account began long ago, and whose end nobody knows, is looked
/// up in the ledger.
///
/// # Errors
/// When the database does not answer.
pub(in crate::stripe) async fn begin(
    (ledger, links): (&Ledger, &CustomerLinks),
    customer: &ProviderId,
    account: &AccountId,
    term: ReservationTerm,
) -> Result<ReservationResult, ViewError> {
    let other = match links.begin(customer, account, term).await? {
        ReservationResult::Forgotten(other) => other,
        begun @ (ReservationResult::There | ReservationResult::Ours | ReservationResult::Taken) => {
            return Ok(begun);
        }
    };
    let view = ledger.view(&other).await?;
    if view.account.opened().is_some_and(|open| open.customers.contains_key(customer)) {
        links.keep(customer.clone(), other, ledger.clock().now()).await?;
        return Ok(ReservationResult::Taken);
    }
    Ok(links.take_over(customer, (account, &other), term).await?)
}
