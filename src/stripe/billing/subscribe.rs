//! How does a subscription begin without a page? For a customer who has something to pay with: Stripe charges that, and
//! nothing begins where it cannot be charged.
//!
//! The ledger hears of it by webhooks only, so it cannot tell two requests apart that come in one moment. Each is written
//! down before it looks for another one, so that of two at least one sees the other; and Stripe is asked what it has.

use chrono::TimeDelta;
use serde::Serialize;

use super::{Answered, Billing, BillingError, Sought, amend::held, hash, several::customers};
use crate::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Interval,
        event::PaymentPurpose,
        metadata::Metadata,
        names::{AccountId, PlanId, ProviderId},
        refusal::Refusal,
        sale::{self, Sale, Wish},
    },
    stripe::{
        calls::CallId,
        client::{FindCustomer, ListSubscriptions, MakeSubscription, SubscriptionKept},
    },
};

pub(super) const OPERATION: &str = "subscription_create";
/// How long a request that was written down stands in the way of another one, when nobody goes on with it.
const BEGINS: TimeDelta = TimeDelta::minutes(1);
/// When another one may be tried.
const WAIT_S: u64 = 2;

/// A request to subscribe an account.
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub account: AccountId,
    pub key: String,
    pub plan: PlanId,
    pub interval: Interval,
    pub quantity: u32,
    /// Whether it begins with the days that the catalog gives for trying it.
    pub trial: bool,
    /// `None`: what the customer's invoices are paid with.
    pub method: Option<ProviderId>,
    /// What the caller attaches to it.
    pub metadata: Metadata,
}

/// What a repetition is compared by.
#[derive(Serialize)]
struct Asked<'a> {
    plan: (&'a PlanId, &'a str, u32, bool),
    method: Option<&'a ProviderId>,
    metadata: &'a Metadata,
}

impl Billing {
    /// Subscribes the account, once for each key, and answers what the subscription then was at Stripe.
    ///
    /// # Errors
    /// When the rules, the bank or Stripe refuse it, or Stripe does not answer.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<Answered<SubscriptionKept>, BillingError> {
        self.client()?;
        let Subscribe { plan, interval, quantity, trial, method, metadata, .. } = &subscribe;
        let asked = hash(&Asked {
            plan: (plan, interval.as_str(), *quantity, *trial),
            method: method.as_ref(),
            metadata,
        });
        let id =
            CallId { account: subscribe.account.clone(), operation: OPERATION, key: subscribe.key.clone() };
        let kept = match self.find(&id, &asked).await? {
            Some(kept) => kept,
            None => {
                let request = self.work_out_subscription(&id, &subscribe).await?;
                let kept = self.begin(&id, &asked, request).await?;
                self.make_way(&id, &kept.request).await?;
                kept
            }
        };
        let answered: Answered<SubscriptionKept> = self.perform(&id, kept).await?;
        if !answered.replayed {
            self.0.calls.done(&id, &answered.answer, self.now()).await?;
        }
        Ok(answered)
    }

    async fn work_out_subscription(
        &self,
        id: &CallId,
        subscribe: &Subscribe,
    ) -> Result<MakeSubscription, BillingError> {
        let view = self.0.ledger.view(&subscribe.account).await?;
        let (plan, interval) = (subscribe.plan.clone(), subscribe.interval);
        let wish = Wish::Plan { plan, interval, quantity: subscribe.quantity, trial: subscribe.trial };
        let (catalog, now) = (self.0.ledger.catalog(), self.now());
        let Sale { price_id, quantity, trial_days, purpose, .. } =
            sale::sell(&view.account, catalog, &wish, now)?;
        let PaymentPurpose::Subscription { plan: Some(plan), .. } = purpose else {
            return Err(Refusal::NotForSale { setting: None }.into());
        };
        self.check_rate(id).await?;
        let open = sale::open(&view.account)?;
        let customer = self.payer_of(&view.account, open, subscribe).await?;
        let supersedes = sale::superseded(open, catalog, &wish, now);
        Ok(MakeSubscription {
            account: subscribe.account.to_string(),
            customer,
            plan: plan.to_string(),
            price: price_id.ok_or(Refusal::NotForSale { setting: None })?,
            quantity,
            trial_days,
            method: subscribe.method.as_ref().map(ToString::to_string),
            metadata: subscribe.metadata.clone(),
            supersedes: supersedes.iter().map(ToString::to_string).collect(),
        })
    }

    /// The customer that has the wanted method, or else one that has anything to pay with.
    async fn payer_of(
        &self,
        account: &Account,
        open: &OpenAccount,
        subscribe: &Subscribe,
    ) -> Result<String, BillingError> {
        sale::customer(account)?;
        if let Some(method) = &subscribe.method {
            return Ok(self.find_method_of(&subscribe.account, method).await?.0);
        }
        for customer in customers(open) {
            let found = self.client()?.ask(&FindCustomer { customer: customer.clone() }).await?;
            if found.default_method().is_some() {
                return Ok(customer);
            }
        }
        Err(BillingError::NotFound(Sought::PaymentMethod))
    }

    /// Lets nobody pay for two plans: neither on a page that is open, nor by another request of this moment.
    async fn make_way(&self, id: &CallId, request: &MakeSubscription) -> Result<(), BillingError> {
        if self.0.ledger.catalog().payments.several_subscriptions {
            return Ok(());
        }
        self.close_superseded(id, &request.supersedes).await?;
        let since = self.now().minus(BEGINS);
        let others = self.0.calls.others_open(id, since).await;
        if others.map_err(BillingError::Storage)? {
            self.0.calls.withdraw(id).await.map_err(BillingError::Storage)?;
            return Err(BillingError::TooMany { wait_s: WAIT_S });
        }
        let customer = request.customer.clone();
        let listed = self.client()?.ask(&ListSubscriptions { customer }).await?;
        let Some(other) = listed.data.iter().find(|row| row.ended_at.is_none()) else { return Ok(()) };
        self.0.calls.withdraw(id).await.map_err(BillingError::Storage)?;
        let plan = held(other, self.0.ledger.catalog()).map(|(_, order)| order.plan);
        let plan = plan.or_else(|| PlanId::parse(&request.plan).ok());
        Err(plan
            .map_or(Refusal::NotForSale { setting: None }, |plan| Refusal::SubscriptionActive { plan })
            .into())
    }
}
