//! How is the newer of two subscriptions taken back?
//! It is cancelled and its payment is refunded, each once, and only if Stripe says that both still run.

use serde_json::Value;

use super::{
    Billing, BillingError,
    runner::{CallOrder, itself},
};
use crate::stripe::{
    calls::{CallId, Operation, Two, TwoSettled},
    client::{
        AmendSubscription, Amendment, FindPayment, FindSubscription, ListFilter, MakeRefund, Reason,
        StripeSubscription,
    },
    documents::Document,
};

/// Ends one of two subscriptions. It is no call to Stripe, but leads to two: [`Operation::CancelDuplicate`] and
/// [`Operation::RefundDuplicate`].
pub(super) struct DuplicateEnding;

impl DuplicateEnding {
    /// Completes what was begun.
    pub async fn find_out(billing: &Billing, id: &CallId) -> Result<(), BillingError> {
        billing.end_second(id).await
    }
}

impl Billing {
    /// Takes back the newer one, if there are still two.
    async fn end_second(&self, id: &CallId) -> Result<(), BillingError> {
        let Some(kept) = self.0.calls.find::<Two, TwoSettled>(id).await? else { return Ok(()) };
        let [one, other] = kept.request.subscriptions;
        let one = self.client()?.read(&FindSubscription { subscription: one }).await?;
        let other = self.client()?.read(&FindSubscription { subscription: other }).await?;
        let (older, newer) = by_age(one, other);
        let cancelling = CallId {
            account: id.account.clone(),
            operation: Operation::CancelDuplicate,
            key: newer.id.clone(),
        };
        let is_begun = self.find_open::<AmendSubscription>(&cancelling).await?;
        let goes_on = older.ended_at.is_none() && (newer.ended_at.is_none() || is_begun.is_some());
        let cancelled = if goes_on && (is_begun.is_some() || self.is_unused(id, &newer.id).await?) {
            self.take_back(id, &newer).await?;
            Some(newer.id)
        } else {
            None
        };
        self.0.calls.done(id, &TwoSettled { cancelled }, self.now()).await?;
        Ok(())
    }

    /// Whether nothing of its credits was spent or held. If credits were used, only an operator decides about a refund.
    async fn is_unused(&self, id: &CallId, subscription: &str) -> Result<bool, BillingError> {
        let view = self.0.ledger.view(&id.account).await?;
        let Some(open) = view.account.opened() else { return Ok(true) };
        let given = open.wallet.grants().filter(|grant| {
            grant.terms.slot.as_ref().is_some_and(|slot| slot.subscription.as_str() == subscription)
        });
        let is_used = given.into_iter().any(|grant| !grant.used().is_zero());
        if is_used {
            let account = id.account.as_str();
            let what_to_do = "decide with the person which one is to end, and what goes back";
            tracing::error!(account, subscription, what_to_do, "a second subscription was used, and is left");
        }
        Ok(!is_used)
    }

    async fn take_back(&self, id: &CallId, newer: &StripeSubscription) -> Result<(), BillingError> {
        let cancel = AmendSubscription {
            subscription: newer.id.clone(),
            amendment: Amendment::CancelNow { feedback: None },
        };
        let order =
            CallOrder::new(&id.account, Operation::CancelDuplicate, &newer.id, &cancel).by(&itself()?);
        self.run(&order, async { Ok(cancel) }).await?;
        let Some(invoice) = newer.latest_invoice.clone() else { return Ok(()) };
        let paid = self.client()?.page(&ListFilter::PaymentsOf { invoice }, None).await?;
        for payment in paid.objects.iter().filter_map(payment) {
            self.give_back(id, payment).await?;
        }
        Ok(())
    }

    async fn give_back(&self, id: &CallId, payment: String) -> Result<(), BillingError> {
        let request = async {
            let seen = self.client()?.read(&FindPayment { payment: payment.clone() }).await?;
            let refunded = seen.latest_charge.as_ref().map_or(0, |charge| charge.amount_refunded);
            let amount = seen.amount_received.saturating_sub(refunded);
            Ok(MakeRefund { payment: payment.clone(), amount, reason: Some(Reason::Duplicate) })
        };
        let order = CallOrder::new(&id.account, Operation::RefundDuplicate, &payment, &payment);
        match self.run(&order, request).await {
            Ok(_) => Ok(()),
            // An operator or the bank has already returned the money.
            Err(BillingError::Rejected(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The older one first.
fn by_age(one: StripeSubscription, other: StripeSubscription) -> (StripeSubscription, StripeSubscription) {
    let is_older = (one.created, &one.id) <= (other.created, &other.id);
    if is_older { (one, other) } else { (other, one) }
}

fn payment(paid: &Value) -> Option<String> {
    let paid = Document::new(paid);
    let is_paid = paid.text("status") == Some("paid");
    paid.id("payment.payment_intent").filter(|_| is_paid).map(|payment| payment.to_string())
}
