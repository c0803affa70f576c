//! How is a subscription made without a checkout page?

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use stripe_billing::subscription::{
    CreateSubscription, CreateSubscriptionItems, CreateSubscriptionPaymentBehavior, ListSubscription,
    ListSubscriptionStatus,
};
use stripe_client_core::StripeRequest;

use super::{
    super::{Change, StripeCall},
    StripeSubscription, StripeSubscriptionItems, of_account, put, put_all,
};
use crate::domain::metadata::Metadata;

/// The name of the call's key in metadata.
const CALL: &str = "counterfoil_call";
/// How many subscriptions of a customer are read. Stripe allows 500; customers of the program usually have one.
const LISTED_MAX: i64 = 100;

/// Makes a subscription that is paid with one of the customer's payment methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeSubscription {
    pub account: String,
    pub customer: String,
    pub plan: String,
    pub price: String,
    pub quantity: u32,
    pub trial_days: Option<u16>,
    /// `None`: the customer's default.
    pub method: Option<String>,
    /// What the caller attached to it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The call's key, by which the subscription is found if the answer is lost.
    pub call: String,
    /// The pages that this replaces. They are closed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
}

/// Lists the subscriptions of a customer, including ended ones, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSubscriptions {
    pub customer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct SubscriptionsListed {
    pub data: Vec<SubscriptionListed>,
}

/// A listed subscription. It is not stored.
#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct SubscriptionListed {
    pub id: String,
    pub status: String,
    pub ended_at: Option<i64>,
    pub trial_end: Option<i64>,
    pub items: StripeSubscriptionItems,
    pub metadata: Option<BTreeMap<String, String>>,
}

impl SubscriptionListed {
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended_at.is_some() || matches!(self.status.as_str(), "canceled" | "incomplete_expired")
    }

    /// Whether this call made it.
    #[must_use]
    pub fn is_of(&self, call: &str) -> bool {
        self.metadata.as_ref().and_then(|metadata| metadata.get(CALL)).is_some_and(|of| of == call)
    }
}

impl MakeSubscription {
    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = of_account(&self.account);
        put(&mut metadata, "plan_code", &self.plan);
        put(&mut metadata, CALL, &self.call);
        put_all(&mut metadata, &self.metadata);
        metadata
    }
}

impl StripeCall for MakeSubscription {
    type Answer = StripeSubscription;

    /// If the payment fails, Stripe makes no subscription, since the person is absent.
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

impl Change for MakeSubscription {
    fn begins_charge(&self) -> bool {
        true
    }
}

impl StripeCall for ListSubscriptions {
    type Answer = SubscriptionsListed;

    fn request(&self) -> impl StripeRequest + Send {
        ListSubscription::new()
            .customer(self.customer.as_str())
            .status(ListSubscriptionStatus::All)
            .limit(LISTED_MAX)
    }
}
