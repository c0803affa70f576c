//! What is Stripe asked for, and what is read of its answers?
//!
//! What is written down before it is asked has a form of its own here, so that it can be asked again in the same words
//! after an upgrade of `async-stripe`.

use std::collections::HashMap;

use ::stripe::StripeRequest;
use serde::{Deserialize, Serialize};
use stripe_billing::billing_portal_session::CreateBillingPortalSession;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsAdjustableQuantity,
    CreateCheckoutSessionPaymentIntentData, CreateCheckoutSessionSubscriptionData,
};
use stripe_core::customer::{CreateCustomer, ListCustomer, UpdateCustomer};
use stripe_shared::CheckoutSessionMode;

use super::Ask;

/// How many of a pack a person may take on the page.
const PACKS_MAX: i64 = 99;
/// How many customers with one e-mail address are looked at.
const CUSTOMERS_MAX: i64 = 100;
/// Where an account's id is in metadata, as `translate` reads it.
const ACCOUNT_ID: &str = "account_id";

/// A customer for an account. It has no other particulars, so that it is the same request each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeCustomer {
    pub account: String,
}

/// Sets what a customer belongs to, and the address that its receipts go to.
#[derive(Clone, PartialEq, Eq)]
pub struct AdoptCustomer {
    pub customer: String,
    pub account: String,
    pub email: String,
}

/// The customers with an e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct FindCustomers {
    pub email: String,
}

/// A page to buy something on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCheckout {
    pub account: String,
    pub customer: String,
    pub price: String,
    pub quantity: u32,
    pub sold: Sold,
    pub success_url: String,
    pub cancel_url: String,
}

/// What is bought there, as `translate` reads it from metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sold {
    Plan { plan: String, trial_days: Option<u16> },
    Pack { pack: String },
}

/// A page to look after a subscription on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPortal {
    pub customer: String,
    pub return_url: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct CustomerKept {
    pub id: String,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct CustomersFound {
    pub data: Vec<CustomerFound>,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct CustomerFound {
    pub id: String,
    metadata: Option<Metadata>,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
struct Metadata {
    account_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct CheckoutOpened {
    pub id: String,
    /// `None`: the session is over.
    pub url: Option<String>,
    /// Both in seconds since 1970.
    pub created: i64,
    pub expires_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PortalOpened {
    pub url: String,
}

impl CustomerFound {
    /// The account that it was made for, if it was made for one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.account_id.as_deref())
    }
}

impl Ask for MakeCustomer {
    type Answer = CustomerKept;

    fn request(&self) -> impl StripeRequest + Send {
        CreateCustomer::new().metadata(of_account(&self.account))
    }
}

impl Ask for AdoptCustomer {
    type Answer = CustomerKept;

    fn request(&self) -> impl StripeRequest + Send {
        UpdateCustomer::new(self.customer.as_str())
            .email(self.email.as_str())
            .metadata(of_account(&self.account))
    }
}

impl Ask for FindCustomers {
    type Answer = CustomersFound;

    fn request(&self) -> impl StripeRequest + Send {
        ListCustomer::new().email(self.email.as_str()).limit(CUSTOMERS_MAX)
    }
}

impl Ask for OpenPortal {
    type Answer = PortalOpened;

    fn request(&self) -> impl StripeRequest + Send {
        CreateBillingPortalSession::new()
            .customer(self.customer.as_str())
            .return_url(self.return_url.as_str())
    }
}

impl Ask for OpenCheckout {
    type Answer = CheckoutOpened;

    /// What the session is for is said three times, since Stripe does not copy metadata from it to what it makes.
    fn request(&self) -> impl StripeRequest + Send {
        let session = CreateCheckoutSession::new()
            .client_reference_id(self.account.as_str())
            .customer(self.customer.as_str())
            .metadata(self.metadata())
            .line_items([self.line()])
            .success_url(self.success_url.as_str())
            .cancel_url(self.cancel_url.as_str());
        match &self.sold {
            Sold::Plan { trial_days, .. } => {
                let mut subscription = CreateCheckoutSessionSubscriptionData::new();
                subscription.metadata = Some(self.metadata());
                subscription.trial_period_days = trial_days.map(u32::from);
                session.mode(CheckoutSessionMode::Subscription).subscription_data(subscription)
            }
            Sold::Pack { .. } => {
                let mut payment = CreateCheckoutSessionPaymentIntentData::new();
                payment.metadata = Some(self.metadata());
                session.mode(CheckoutSessionMode::Payment).payment_intent_data(payment)
            }
        }
    }
}

impl OpenCheckout {
    fn line(&self) -> CreateCheckoutSessionLineItems {
        let mut line = CreateCheckoutSessionLineItems::new();
        line.price = Some(self.price.clone());
        line.quantity = Some(self.quantity.into());
        if matches!(self.sold, Sold::Pack { .. }) {
            let mut adjustable = CreateCheckoutSessionLineItemsAdjustableQuantity::new(true);
            adjustable.minimum = Some(1);
            adjustable.maximum = Some(PACKS_MAX.max(self.quantity.into()));
            line.adjustable_quantity = Some(adjustable);
        }
        line
    }

    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = of_account(&self.account);
        let mut put = |name: &str, value: &str| metadata.insert(name.to_owned(), value.to_owned());
        match &self.sold {
            Sold::Plan { plan, .. } => put("plan_code", plan),
            Sold::Pack { pack } => {
                put("kind", "topup");
                put("topup_code", pack)
            }
        };
        metadata
    }
}

fn of_account(account: &str) -> HashMap<String, String> {
    HashMap::from([(ACCOUNT_ID.to_owned(), account.to_owned())])
}
