//! How is something sold exactly once?
//! The sales of an account are made one after the other, and if an earlier attempt has an unknown outcome, the rules
//! are checked again.

use std::future::{Future, ready};

use super::{
    Billing, BillingError,
    runner::{CallOrder, RecordedCall, Reply},
};
use crate::stripe::{
    calls::{CallId, CallOutcome, StoredCall},
    client::StripeCall,
};

/// A sale through Stripe.
pub(super) trait Sale: Sync {
    type Call: RecordedCall;

    /// Makes the request to Stripe, if the rules allow it.
    fn work_out(
        &self,
        billing: &Billing,
        id: &CallId,
    ) -> impl Future<Output = Result<Self::Call, BillingError>> + Send;

    /// Checks that the rules still allow a stored request, since other things may have been bought since.
    fn check_again(
        &self,
        billing: &Billing,
        id: &CallId,
    ) -> impl Future<Output = Result<(), BillingError>> + Send;

    /// Finds what an earlier attempt has made at Stripe, if its answer was lost.
    fn find_made(
        _billing: &Billing,
        _call: &Self::Call,
    ) -> impl Future<Output = Result<Option<<Self::Call as StripeCall>::Answer>, BillingError>> + Send {
        ready(Ok(None))
    }

    /// The pages that this replaces.
    fn supersedes(call: &Self::Call) -> &[String];
}

impl Billing {
    /// Sells something once.
    pub(super) async fn sell<S: Sale>(
        &self,
        order: &CallOrder,
        sale: &S,
    ) -> Result<Reply<S::Call>, BillingError> {
        self.client()?;
        if let Some(call) = self.find(order).await?
            && !is_open(&call)
        {
            return self.perform(order, call).await;
        }
        let _turn = self.take_turn(&order.id.account).await?;
        let call = match self.find(order).await? {
            None => self.begin(order, sale.work_out(self, &order.id).await?).await?,
            Some(call) if !is_open(&call) => call,
            Some(call) => {
                if let Some(made) = S::find_made(self, &call.request).await? {
                    let made = self.conclude(order, &call, made).await?;
                    return Ok(Reply { answer: None, ..made });
                }
                if call.asked_before {
                    sale.check_again(self, &order.id).await?;
                    call
                } else {
                    // A request that was never sent is made again.
                    self.0.calls.withdraw(&order.id).await.map_err(BillingError::Storage)?;
                    self.begin(order, sale.work_out(self, &order.id).await?).await?
                }
            }
        };
        if is_open(&call) {
            self.close_superseded(&order.id, S::supersedes(&call.request)).await?;
        }
        self.perform(order, call).await
    }
}

const fn is_open<R, A>(call: &StoredCall<R, A>) -> bool {
    matches!(call.outcome, CallOutcome::Open)
}
