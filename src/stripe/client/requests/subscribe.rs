//! How does a subscription begin without a page?

use std::collections::HashMap;

use ::stripe::StripeRequest;
use serde::{Deserialize, Serialize};
use stripe_billing::subscription::{
    CreateSubscription, CreateSubscriptionItems, CreateSubscriptionPaymentBehavior, ListSubscription,
};

use super::{super::Ask, SubscriptionKept, of_account, put, put_all};
use crate::domain::metadata::Metadata;

/// How many subscriptions of a customer are looked at. Stripe lets a customer have 500; ours has one.
const LISTED_MAX: i64 = 100;

/// A subscription that is paid for with a method that the customer has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeSubscription {
    pub account: String,
    pub customer: String,
    pub plan: String,
    pub price: String,
    pub quantity: u32,
    pub trial_days: Option<u16>,
    /// `None`: what the customer prefers.
    pub method: Option<String>,
    /// What the caller attaches to it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The pages that this takes the place of. They are closed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
}

/// What a customer is subscribed to now, whatever its state, but for what was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSubscriptions {
    pub customer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct SubscriptionsKept {
    pub data: Vec<SubscriptionKept>,
}

impl MakeSubscription {
    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = of_account(&self.account);
        put(&mut metadata, "plan_code", &self.plan);
        put_all(&mut metadata, &self.metadata);
        metadata
    }
}

impl Ask for MakeSubscription {
    type Answer = SubscriptionKept;

    /// What cannot be paid does not begin: nobody is there to be asked.
    fn request(&self) -> impl StripeRequest + Send {
        let mut item = CreateSubscriptionItems::new();
        item.price = Some(self.price.clone());
        item.quantity = Some(self.quantity.into());
        let request = CreateSubscription::new()
            .customer(self.customer.as_str())
            .items([item])
            .off_session(true)
            .payment_behavior(CreateSubscriptionPaymentBehavior::ErrorIfIncomplete)
            .metadata(self.metadata());
        let request = match self.trial_days {
            Some(days) => request.trial_period_days(u32::from(days)),
            None => request,
        };
        match &self.method {
            Some(method) => request.default_payment_method(method.as_str()),
            None => request,
        }
    }
}

impl Ask for ListSubscriptions {
    type Answer = SubscriptionsKept;

    fn request(&self) -> impl StripeRequest + Send {
        ListSubscription::new().customer(self.customer.as_str()).limit(LISTED_MAX)
    }
}
