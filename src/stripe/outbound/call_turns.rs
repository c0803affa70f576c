//! May a plan be sold now? One request at a time asks, for each account; and Stripe is asked too where the ledger may
//! not have heard yet of what was sold a moment ago.

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

/// How long a request waits for its turn, and how often it looks.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// When another one may be tried.
const WAIT_S: u64 = 2;
/// How long ago something was sold at most for its webhook to be on its way: Stripe tries for three days.
const HEARD_BY: TimeDelta = TimeDelta::days(4);

impl Billing {
    /// Waits until nobody else sells to the account.
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

    /// Whether Stripe knows of nothing that stands in the way of a plan, where anything was sold lately. What the
    /// ledger knows was looked at before.
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

    /// Whether Stripe knows of nothing that the account is subscribed to. With its customer that would end, unasked.
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
