//! Has an account paid for two subscriptions where only one is sold?
//! Two pages can be paid at the same time, and subscriptions can be made elsewhere.
//!
//! An operator is told once of each pair.
//! If the catalog says so, it is stored that the newer one has to be cancelled and refunded; Stripe is not called while
//! an event is handled.

use sha2::{Digest, Sha256};

use crate::{
    domain::{
        catalog::SecondSubscription,
        ids::{AccountId, ProviderId},
        purchase,
    },
    ledger::{Ledger, ViewError},
    stripe::calls::{CallId, CallStart, Calls, CallsError, Operation, Two, TwoSettled},
};

#[derive(Debug, thiserror::Error)]
pub enum SecondError {
    #[error("the account cannot be read")]
    View(#[from] ViewError),
    #[error("the calls to Stripe cannot be read or written")]
    Calls(#[from] CallsError),
    #[error("the database does not answer")]
    Storage(#[from] sqlx::Error),
}

/// Checks after each report of a subscription whether there is another one.
pub(super) async fn look(
    ledger: &Ledger,
    calls: &Calls,
    account: &AccountId,
    reported: &ProviderId,
) -> Result<(), SecondError> {
    let view = ledger.view(account).await?;
    let now = ledger.clock().now();
    let Some(open) = view.account.opened() else { return Ok(()) };
    let Some(other) = purchase::beside(open, ledger.catalog(), reported, now) else { return Ok(()) };
    let mut subscriptions = [reported.to_string(), other.to_string()];
    subscriptions.sort();
    let key = subscriptions.join(":");
    let id = CallId { account: account.clone(), operation: Operation::EndDuplicate, key };
    let asked: [u8; 32] = Sha256::digest(id.key.as_bytes()).into();
    let begun = CallStart { at: now, by: None };
    if !calls.begin(&id, &asked, &Two { subscriptions }, &begun).await? {
        return Ok(());
    }
    let ending = ledger.catalog().payments.second_subscription == SecondSubscription::CancelAndRefund;
    metrics::counter!("counterfoil_second_subscriptions_total").increment(1);
    tracing::error!(
        account = account.as_str(),
        subscription = reported.as_str(),
        other = other.as_str(),
        will_be_cancelled = ending,
        what_to_do = "cancel and refund one of the two at Stripe, unless both are wanted; docs/STRIPE.md says how that is \
                      done by itself",
        "an account has paid for two subscriptions"
    );
    // From now on, the task that resolves open calls carries it out.
    calls.begin_attempt(&id, now).await?;
    if !ending {
        calls.done(&id, &TwoSettled { cancelled: None }, now).await?;
    }
    Ok(())
}
