//! Has somebody paid for two subscriptions, where only one is sold? Two pages can be paid on at the same moment, and
//! subscriptions can be made elsewhere.
//!
//! An operator is told once of each two. Where the catalog says so, it is written down that the newer one is to be
//! cancelled and refunded; nothing is asked of Stripe while an event is handled.

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

/// Looks at each report of a subscription for another one beside it.
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
    // From here on it is for whoever finds out what became of calls.
    calls.begin_attempt(&id, now).await?;
    if !ending {
        calls.done(&id, &TwoSettled { cancelled: None }, now).await?;
    }
    Ok(())
}
