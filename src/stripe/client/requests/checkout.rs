//! How is a checkout page opened, found and closed?

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsAdjustableQuantity,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    CreateCheckoutSessionSubscriptionData, ExpireCheckoutSession, ProductData, RetrieveCheckoutSession,
};
use stripe_client_core::StripeRequest;
use stripe_shared::CheckoutSessionMode;
use stripe_types::Currency;

use super::{
    super::{Change, StripeCall},
    of_account, of_credits, put, put_all,
};
use crate::domain::{metadata::Metadata, sold_pack::SoldPack};

/// The largest number of packs that a person can choose on the page.
const PACKS_MAX: i64 = 99;

/// Opens a checkout page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCheckout {
    pub account: String,
    pub customer: String,
    /// `None`: a price is made for this page alone.
    pub price: Option<String>,
    pub quantity: u32,
    /// How many packs a person can choose on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity_max: Option<u32>,
    pub sold: CheckoutPurchase,
    /// What the caller attached to the purchase.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    pub success_url: String,
    pub cancel_url: String,
    /// The pages that this one replaces. They are closed before it is opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
}

/// Closes a page, so that it cannot be paid on any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireCheckout {
    pub session: String,
}

/// Reads a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindCheckout {
    pub session: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeCheckout {
    pub id: String,
    /// `open`, `complete` or `expired`.
    pub status: Option<String>,
    metadata: Option<CheckoutMetadata>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
struct CheckoutMetadata {
    plan_code: Option<String>,
}

impl StripeCheckout {
    /// The subscription that was bought on the page, if one was.
    #[must_use]
    pub fn bought(&self) -> Option<&str> {
        let plan = self.metadata.as_ref().and_then(|metadata| metadata.plan_code.as_deref());
        plan.filter(|_| self.status.as_deref() == Some("complete"))
    }
}

impl StripeCall for ExpireCheckout {
    type Answer = StripeCheckout;

    fn request(&self) -> impl StripeRequest + Send {
        ExpireCheckoutSession::new(self.session.as_str())
    }
}

impl Change for ExpireCheckout {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for FindCheckout {
    type Answer = StripeCheckout;

    fn request(&self) -> impl StripeRequest + Send {
        RetrieveCheckoutSession::new(self.session.as_str())
    }
}

/// What is sold on the page, as `translate` reads it from metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutPurchase {
    Plan {
        plan: String,
        trial_days: Option<u16>,
    },
    Pack {
        pack: String,
        /// What each pack gives, as the catalog says when the page is opened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<SoldPack>,
    },
    /// A chosen number of credits.
    Credits {
        terms: SoldPack,
        name: String,
        /// `None`: a product is made for this page, too.
        product: Option<String>,
    },
}

impl CheckoutPurchase {
    /// The terms of what is sold, if it is paid once.
    #[must_use]
    pub const fn terms(&self) -> Option<&SoldPack> {
        match self {
            Self::Plan { .. } => None,
            Self::Pack { terms, .. } => terms.as_ref(),
            Self::Credits { terms, .. } => Some(terms),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct OpenedCheckout {
    pub id: String,
    /// `None`: the session has ended.
    pub url: Option<String>,
    /// Both in seconds since 1970.
    pub created: i64,
    pub expires_at: i64,
}

impl StripeCall for OpenCheckout {
    type Answer = OpenedCheckout;

    /// The metadata is sent for each object that Stripe makes, since Stripe does not copy it from the session.
    fn request(&self) -> impl StripeRequest + Send {
        let session = CreateCheckoutSession::new()
            .client_reference_id(self.account.as_str())
            .customer(self.customer.as_str())
            .metadata(self.metadata())
            .line_items([self.line()])
            .success_url(self.success_url.as_str())
            .cancel_url(self.cancel_url.as_str());
        match &self.sold {
            CheckoutPurchase::Plan { trial_days, .. } => {
                let mut subscription = CreateCheckoutSessionSubscriptionData::new();
                subscription.metadata = Some(self.metadata());
                subscription.trial_period_days = trial_days.map(u32::from);
                session.mode(CheckoutSessionMode::Subscription).subscription_data(subscription)
            }
            CheckoutPurchase::Pack { .. } | CheckoutPurchase::Credits { .. } => {
                let mut payment = CreateCheckoutSessionPaymentIntentData::new();
                payment.metadata = Some(self.metadata());
                session.mode(CheckoutSessionMode::Payment).payment_intent_data(payment)
            }
        }
    }
}

impl Change for OpenCheckout {
    fn begins_charge(&self) -> bool {
        true
    }
}

impl OpenCheckout {
    fn line(&self) -> CreateCheckoutSessionLineItems {
        let mut line = CreateCheckoutSessionLineItems::new();
        line.price.clone_from(&self.price);
        if let CheckoutPurchase::Credits { terms, name, product } = &self.sold {
            line.price_data = Some(price_of(terms, name, product.as_deref()));
        }
        line.quantity = Some(self.quantity.into());
        if matches!(self.sold, CheckoutPurchase::Pack { .. }) {
            let mut adjustable = CreateCheckoutSessionLineItemsAdjustableQuantity::new(true);
            adjustable.minimum = Some(1);
            let most = self.quantity_max.map_or(PACKS_MAX, |most| PACKS_MAX.min(most.into()));
            adjustable.maximum = Some(most.max(self.quantity.into()));
            line.adjustable_quantity = Some(adjustable);
        }
        line
    }

    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = of_account(&self.account);
        match &self.sold {
            CheckoutPurchase::Plan { plan, .. } => put(&mut metadata, "plan_code", plan),
            CheckoutPurchase::Pack { pack, .. } => {
                put(&mut metadata, "kind", "topup");
                put(&mut metadata, "topup_code", pack);
            }
            CheckoutPurchase::Credits { terms, .. } => of_credits(&mut metadata, terms),
        }
        put_all(&mut metadata, &self.metadata);
        metadata
    }
}

/// A price that is made for one sale.
fn price_of(terms: &SoldPack, name: &str, product: Option<&str>) -> CreateCheckoutSessionLineItemsPriceData {
    // The client accepts every text as a currency; Stripe checks it.
    let Ok(currency) = terms.price.currency.as_str().parse::<Currency>();
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.unit_amount = Some(terms.price.minor);
    match product {
        Some(product) => price.product = Some(product.to_owned()),
        None => price.product_data = Some(ProductData::new(name)),
    }
    price
}
