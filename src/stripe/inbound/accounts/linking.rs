//! How is a customer linked to an account if a caller says so, and not Stripe?
//! By a command, and only if it is not linked to another account.

use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        refusal::Refusal,
    },
    ledger::{ExecuteError, ExecuteResult, Ledger, Request, ViewError},
};

use super::customer_links::{CustomerLinks, ReservationResult, ReservationTerm};

/// Executes a command that links a customer to its account, unless it is linked to another one.
/// From then on, Stripe's events about the customer find the account.
///
/// # Errors
/// If the database does not answer. The same request again then completes it.
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
        // It may have been linked; repeating the command or reading the ledger shows whether it was.
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

/// Reserves a customer for an account.
/// If another account reserved it long ago, the ledger shows whether that led to a link.
///
/// # Errors
/// If the database does not answer.
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
