//! How is the customer portal opened for an account?

use serde::Serialize;

use super::{Billing, BillingError, RepeatableAnswer, runner::CallOrder};
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        subscription_change::{self, ChangeRequest, Page},
    },
    stripe::{
        calls::Operation,
        client::{FindSubscription, OpenPortal, PortalChange, PortalOnly},
    },
};

/// A request for the customer portal.
#[derive(Clone, Debug)]
pub struct PortalRequest {
    pub account: AccountId,
    pub key: String,
    pub return_url: String,
    /// The change to confirm. `None`: the portal shows all that it offers.
    pub change: Option<Chosen>,
}

/// A change that was chosen before the portal is opened.
#[derive(Clone, Debug, Serialize)]
pub struct Chosen {
    /// `None`: the only subscription of the account.
    pub subscription: Option<ProviderId>,
    pub wish: ChangeRequest,
}

impl Billing {
    /// Opens the portal, once for each key, and returns its URL.
    ///
    /// # Errors
    /// If the account has no customer, or Stripe refuses or does not answer.
    pub async fn open_portal(&self, portal: PortalRequest) -> Result<RepeatableAnswer<String>, BillingError> {
        let PortalRequest { account, key, return_url, change } = portal;
        let order = match &change {
            Some(change) => CallOrder::new(&account, Operation::OpenPortal, &key, &(&return_url, change)),
            None => CallOrder::new(&account, Operation::OpenPortal, &key, &return_url),
        };
        let reply = self.run(&order, self.work_out_portal(&account, return_url, change)).await?;
        let RepeatableAnswer { answer, replayed } = reply.repeatable();
        Ok(RepeatableAnswer { answer: answer.url, replayed })
    }

    /// A change is only offered if it is allowed; the portal says when it takes effect, and what it costs.
    async fn work_out_portal(
        &self,
        account: &AccountId,
        return_url: String,
        chosen: Option<Chosen>,
    ) -> Result<OpenPortal, BillingError> {
        let view = self.0.ledger.view(account).await?;
        let configuration = self.0.settings.portal.clone();
        let open = view.account.require_open()?;
        let subscriber = self.subscriber(open).await?;
        let Some(Chosen { subscription, wish }) = chosen else {
            let (customer, only) = match subscription_change::page(open, self.state_of(account), self.now()) {
                Page::Whole => (subscriber, None),
                Page::PaymentMethod => (subscriber, Some(PortalOnly::PaymentMethod)),
                Page::Cancellation(subscription) => self.cancellation(subscriber, &subscription).await?,
            };
            return Ok(OpenPortal { customer, return_url, configuration, change: None, only });
        };
        let terms = subscription_change::find(&view.account, subscription.as_ref(), self.now())?;
        let (change, asked, row) = self.work_out_change(account, &view.account, terms, &wish).await?;
        let change = PortalChange {
            subscription: row.id,
            item: asked.item,
            price: change.price_id,
            quantity: change.to.quantity,
            begins_charge: asked.begins_charge,
        };
        let customer = row.customer.unwrap_or(subscriber);
        Ok(OpenPortal { customer, return_url, configuration, change: Some(change), only: None })
    }

    /// The customer that has the subscription, and whether it can be cancelled on the portal.
    /// If it ends already, the portal is opened for the payment method.
    async fn cancellation(
        &self,
        subscriber: String,
        subscription: &ProviderId,
    ) -> Result<(String, Option<PortalOnly>), BillingError> {
        let row = self.client()?.read(&FindSubscription { subscription: subscription.to_string() }).await?;
        let ends = row.cancel_at.is_some() || row.cancel_at_period_end || row.ended_at.is_some();
        let only = if ends { PortalOnly::PaymentMethod } else { PortalOnly::Cancellation(row.id) };
        Ok((row.customer.unwrap_or(subscriber), Some(only)))
    }
}
