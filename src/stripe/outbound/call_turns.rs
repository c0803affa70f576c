//! May a plan be sold now?
//! One request at a time is decided for each account; Stripe is asked, too, if a recent sale may not have been reported
//! yet.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Billing, BillingError, across_customers::customers, subscription_change::held};
use crate::{
    domain::{
        account::{Account, OpenAccount},
        ids::{AccountId, PlanId},
        purchase::PurchaseRequest,
        refusal::Refusal,
    },
    stripe::{
        calls::{CallId, CallTurn, SoldLately},
        client::{ListSubscriptions, SubscriptionListed, is_missing},
    },
};

/// How often a request tries to get its turn.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// After how many seconds another request may be tried.
const WAIT_S: u64 = 2;
/// How long a webhook of a sale may take at most: Stripe retries for three days.
const HEARD_BY: TimeDelta = TimeDelta::days(4);

impl Billing {
    /// Waits until no other request sells to the account.
    pub(super) async fn take_turn(&self, account: &AccountId) -> Result<CallTurn, BillingError> {
        for _ in 0..TRIES {
            let turn = self.0.calls.take_turn(account).await.map_err(BillingError::Storage)?;
            if let Some(turn) = turn {
                return Ok(turn);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(BillingError::TooMany { wait_s: WAIT_S })
    }

    /// Checks that Stripe has no subscription that stands in the way, if anything was sold lately.
    /// The ledger was checked before.
    pub(super) async fn check_unheard(
        &self,
        id: &CallId,
        open: &OpenAccount,
        wish: &PurchaseRequest,
    ) -> Result<(), BillingError> {
        let PurchaseRequest::Plan { plan, trial, .. } = wish else { return Ok(()) };
        if self.0.ledger.catalog().payments.several_subscriptions {
            return Ok(());
        }
        let since = self.now().minus(HEARD_BY);
        let SoldLately { unknown, any } =
            self.0.calls.sold_lately(id, since).await.map_err(BillingError::Storage)?;
        if unknown {
            return Err(BillingError::TooMany { wait_s: WAIT_S });
        }
        if !any {
            return Ok(());
        }
        for customer in customers(open) {
            let listed = self.client()?.read(&ListSubscriptions { customer }).await?;
            self.check_listed(&listed.data, plan, *trial)?;
        }
        Ok(())
    }

    /// Checks that Stripe has no subscription of the account, which would end with its customer.
    pub(super) async fn check_leaves(&self, account: &Account) -> Result<(), BillingError> {
        for customer in customers(account.require_open()?) {
            let listed = self.client()?.read(&ListSubscriptions { customer }).await;
            let listed = match listed {
                Err(error) if error.rejection().is_some_and(is_missing) => continue,
                listed => listed?,
            };
            let free = self.0.ledger.catalog().free_plan.clone();
            self.check_listed(&listed.data, &free, false)?;
        }
        Ok(())
    }

    fn check_listed(
        &self,
        listed: &[SubscriptionListed],
        plan: &PlanId,
        trial: bool,
    ) -> Result<(), BillingError> {
        if let Some(other) = listed.iter().find(|row| !row.has_ended()) {
            let held = held(&other.items, self.0.ledger.catalog()).map(|(_, order)| order.plan);
            return Err(Refusal::SubscriptionActive { plan: held.unwrap_or_else(|| plan.clone()) }.into());
        }
        if trial && listed.iter().any(|row| row.trial_end.is_some()) {
            return Err(Refusal::NoTrial.into());
        }
        Ok(())
    }
}
