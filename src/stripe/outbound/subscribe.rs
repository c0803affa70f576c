//! How does a subscription begin without a checkout page?
//! Stripe charges a payment method of the customer, and makes no subscription if that fails.

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    Billing, BillingError, RepeatableAnswer, ResourceKind,
    across_customers::customers,
    change_notes::{Amended, begun},
    runner::{CallOrder, DoneCall, RecordedCall},
    sale::Sale,
};
use crate::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Interval,
        event::PaymentPurpose,
        ids::{AccountId, PlanId, ProviderId},
        metadata::Metadata,
        purchase::{self, PurchaseRequest, PurchaseTerms},
        recorded::JournalPosition,
        refusal::Refusal,
        unsold::Unsold,
    },
    ledger::Provenance,
    stripe::{
        calls::{CallId, CallOutcome, Operation},
        client::{FindCustomer, FindSubscription, ListSubscriptions, MakeSubscription, StripeSubscription},
    },
};

/// After this time, a subscription that Stripe does not list was not made.
const SHOWN_BY: TimeDelta = TimeDelta::minutes(10);

/// A request to subscribe an account.
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub account: AccountId,
    pub key: String,
    pub plan: PlanId,
    pub interval: Interval,
    pub quantity: u32,
    /// Whether it begins with the catalog's trial.
    pub trial: bool,
    /// `None`: the customer's default payment method.
    pub method: Option<ProviderId>,
    /// What the caller attaches to it.
    pub metadata: Metadata,
    pub provenance: Provenance,
}

/// What repetitions are compared by.
#[derive(Serialize)]
struct SubscribeFingerprint<'a> {
    plan: (&'a PlanId, &'a str, u32, bool),
    method: Option<&'a ProviderId>,
    metadata: &'a Metadata,
}

impl Billing {
    /// Subscribes the account, once for each key, and returns the subscription as it then was at Stripe.
    ///
    /// # Errors
    /// If the rules, the bank or Stripe refuse it, Stripe does not answer, or the ledger cannot record it.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<RepeatableAnswer<Amended>, BillingError> {
        let Subscribe { account, key, plan, interval, quantity, trial, method, metadata, provenance } =
            &subscribe;
        let asked = SubscribeFingerprint {
            plan: (plan, interval.as_str(), *quantity, *trial),
            method: method.as_ref(),
            metadata,
        };
        let order = CallOrder::new(account, Operation::CreateSubscription, key, &asked)
            .by(&provenance.actor)
            .from(provenance.clone());
        self.sell(&order, &subscribe).await?.amended()
    }

    async fn work_out_subscription(
        &self,
        id: &CallId,
        subscribe: &Subscribe,
    ) -> Result<MakeSubscription, BillingError> {
        let view = self.0.ledger.view(&subscribe.account).await?;
        let (plan, interval) = (subscribe.plan.clone(), subscribe.interval);
        let wish =
            PurchaseRequest::Plan { plan, interval, quantity: subscribe.quantity, trial: subscribe.trial };
        let (catalog, now) = (self.0.ledger.catalog(), self.now());
        let PurchaseTerms { price_id, quantity, trial_days, purpose, .. } =
            purchase::price_purchase(&view.account, catalog, self.state_of(&subscribe.account), &wish, now)?;
        let PaymentPurpose::Subscription { plan: Some(plan), .. } = purpose else {
            return Err(Refusal::NotForSale(Unsold::NoPrice).into());
        };
        let open = view.account.require_open()?;
        self.check_unheard(id, open, &wish).await?;
        self.check_rate(id).await?;
        let customer = self.payer_of(&view.account, open, subscribe).await?;
        let supersedes = purchase::superseded(open, catalog, &wish, now);
        Ok(MakeSubscription {
            account: subscribe.account.to_string(),
            customer,
            plan: plan.to_string(),
            price: price_id.ok_or(Refusal::NotForSale(Unsold::NoPrice))?,
            quantity,
            trial_days,
            method: subscribe.method.as_ref().map(ToString::to_string),
            metadata: subscribe.metadata.clone(),
            call: id.stripe_key().as_str().to_owned(),
            supersedes: supersedes.iter().map(ToString::to_string).collect(),
        })
    }

    /// The customer with the requested payment method, or else one that has any.
    async fn payer_of(
        &self,
        account: &Account,
        open: &OpenAccount,
        subscribe: &Subscribe,
    ) -> Result<String, BillingError> {
        purchase::customer(account)?;
        if let Some(method) = &subscribe.method {
            return Ok(self.find_method_of(&subscribe.account, method).await?.0);
        }
        for customer in customers(open) {
            let found = self.client()?.read(&FindCustomer { customer: customer.clone() }).await?;
            if found.default_method().is_some() {
                return Ok(customer);
            }
        }
        Err(BillingError::NotFound(ResourceKind::PreferredMethod))
    }
}

impl Sale for Subscribe {
    type Call = MakeSubscription;

    async fn work_out(&self, billing: &Billing, id: &CallId) -> Result<MakeSubscription, BillingError> {
        billing.work_out_subscription(id, self).await
    }

    /// As for a new sale.
    async fn check_again(&self, billing: &Billing, id: &CallId) -> Result<(), BillingError> {
        billing.work_out_subscription(id, self).await.map(drop)
    }

    async fn find_made(
        billing: &Billing,
        call: &MakeSubscription,
    ) -> Result<Option<StripeSubscription>, BillingError> {
        let list = ListSubscriptions { customer: call.customer.clone() };
        let listed = billing.client()?.read(&list).await?;
        let Some(made) = listed.data.iter().find(|row| row.is_of(&call.call)) else { return Ok(None) };
        Ok(Some(billing.client()?.read(&FindSubscription { subscription: made.id.clone() }).await?))
    }

    fn supersedes(call: &MakeSubscription) -> &[String] {
        &call.supersedes
    }
}

impl RecordedCall for MakeSubscription {
    type Stored = StripeSubscription;

    fn store(answer: &StripeSubscription) -> StripeSubscription {
        answer.clone()
    }

    /// It is looked for, and never requested again, since nobody should be charged hours after they have left, and
    /// perhaps bought something else.
    async fn find_out(billing: &Billing, id: &CallId) -> Result<(), BillingError> {
        let Some((order, call)) = billing.find_open::<Self>(id).await? else { return Ok(()) };
        if !matches!(call.outcome, CallOutcome::Open) {
            return Ok(());
        }
        if let Some(made) = Subscribe::find_made(billing, &call.request).await? {
            return billing.conclude(&order, &call, made).await.map(drop);
        }
        let forgotten = billing.0.calls.forget_old(id, billing.now().minus(SHOWN_BY)).await;
        let is_forgotten = forgotten.map_err(BillingError::Storage)?;
        if is_forgotten { Ok(()) } else { Err(BillingError::OutcomeUnknown) }
    }

    async fn note(
        billing: &Billing,
        done: DoneCall<'_, Self>,
    ) -> Result<Option<JournalPosition>, BillingError> {
        let requested = begun(&done.call.request)?;
        billing.note(&done, requested).await.map(Some)
    }
}
