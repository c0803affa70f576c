//! What may a person change on the customer portal?

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use stripe_billing::billing_portal_configuration::ListBillingPortalConfiguration;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::{
    super::super::{Change, StripeCall},
    Identified, PAGE_LENGTH, SetupPage,
};

const PATH: &str = "/billing_portal/configurations";

#[derive(Clone, Debug, Default)]
pub struct ListPortals {
    pub after: Option<String>,
}

/// What the portal offers: plans to change to, cancellation, payment methods, and earlier invoices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortalOffer {
    /// The prices to change to, by product.
    pub products: BTreeMap<String, Vec<String>>,
    /// `create_prorations`, `always_invoice` or `none`.
    pub proration: String,
    /// `at_period_end` or `immediately`.
    pub cancellation: String,
    /// Whether a downgrade, or a change to a shorter interval, waits for the end of the period.
    pub less_at_period_end: bool,
}

/// Stripe's conditions for a change that waits for the end of the period.
const LESS: [&str; 2] = ["decreasing_item_amount", "shortening_interval"];

/// A change of plan does not end a trial: nothing is charged before its end.
const TRIALS: &str = "continue_trial";

/// Sets what a configuration offers. Without an id, a new configuration is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetPortal {
    pub id: Option<String>,
    pub offer: PortalOffer,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
pub struct ExistingPortal {
    pub id: String,
    pub active: bool,
    pub livemode: bool,
    pub metadata: BTreeMap<String, String>,
    features: PortalFeatures,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct PortalFeatures {
    subscription_update: Update,
    subscription_cancel: Cancel,
    payment_method_update: PortalFeature,
    invoice_history: PortalFeature,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct Update {
    enabled: bool,
    default_allowed_updates: Vec<String>,
    products: Option<Vec<PortalProduct>>,
    proration_behavior: String,
    // Older versions of Stripe's API do not return these two.
    schedule_at_period_end: Option<PortalSchedule>,
    trial_update_behavior: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct PortalSchedule {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct PortalProduct {
    product: String,
    prices: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct Cancel {
    enabled: bool,
    mode: String,
}

#[derive(Clone, Debug, PartialEq, Eq, miniserde::Deserialize)]
struct PortalFeature {
    enabled: bool,
}

impl Update {
    /// `None`: only some of these changes wait, which no catalog can say.
    fn less_at_period_end(&self) -> Option<bool> {
        let kinds = self.schedule_at_period_end.iter().flat_map(|schedule| &schedule.conditions);
        let mut kinds: Vec<&str> = kinds.map(|condition| condition.kind.as_str()).collect();
        kinds.sort_unstable();
        match kinds.as_slice() {
            [] => Some(false),
            kinds if kinds == LESS => Some(true),
            _ => None,
        }
    }
}

impl ExistingPortal {
    /// What it offers. `None`: a part of what an offer needs is switched off.
    #[must_use]
    pub fn offer(&self) -> Option<PortalOffer> {
        let PortalFeatures { subscription_update: update, subscription_cancel: cancel, .. } = &self.features;
        let on = update.enabled
            && update.default_allowed_updates == ["price"]
            && update.trial_update_behavior.as_deref() == Some(TRIALS)
            && cancel.enabled
            && self.features.payment_method_update.enabled
            && self.features.invoice_history.enabled;
        let products = update.products.iter().flatten().map(|product| {
            let mut prices = product.prices.clone();
            prices.sort();
            (product.product.clone(), prices)
        });
        let less_at_period_end = update.less_at_period_end()?;
        on.then(|| PortalOffer {
            products: products.collect(),
            proration: update.proration_behavior.clone(),
            cancellation: cancel.mode.clone(),
            less_at_period_end,
        })
    }
}

impl Identified for ExistingPortal {
    fn id(&self) -> &str {
        &self.id
    }
}

impl StripeCall for ListPortals {
    type Answer = SetupPage<ExistingPortal>;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListBillingPortalConfiguration::new().limit(PAGE_LENGTH);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}

impl StripeCall for SetPortal {
    type Answer = ExistingPortal;

    fn request(&self) -> impl StripeRequest + Send {
        Set(self.clone())
    }
}

impl Change for SetPortal {
    fn begins_charge(&self) -> bool {
        false
    }
}

/// The generated requests have these fields twice, for making and for changing; here they are one type.
struct Set(SetPortal);

impl StripeRequest for Set {
    type Output = miniserde::json::Value;

    fn build(&self) -> RequestBuilder {
        let Self(SetPortal { id, offer, metadata }) = self;
        let product = |(product, prices)| json!({ "product": product, "prices": prices });
        let mut form = json!({
            "features": {
                "payment_method_update": { "enabled": true },
                "invoice_history": { "enabled": true },
                "subscription_cancel": { "enabled": true, "mode": offer.cancellation },
                "subscription_update": {
                    "enabled": true,
                    "default_allowed_updates": ["price"],
                    "proration_behavior": offer.proration,
                    "schedule_at_period_end": { "conditions": conditions(id.is_some(), offer) },
                    "trial_update_behavior": TRIALS,
                    "products": offer.products.iter().map(product).collect::<Vec<Value>>(),
                },
            },
            "metadata": metadata,
        });
        let path = match (id, form.as_object_mut()) {
            (Some(id), Some(form)) => {
                form.insert("active".to_owned(), Value::Bool(true));
                format!("{PATH}/{id}")
            }
            _ => PATH.to_owned(),
        };
        RequestBuilder::new(StripeMethod::Post, path).form(&form)
    }
}

/// A form cannot contain an empty list; an empty text removes what was there.
fn conditions(is_change: bool, offer: &PortalOffer) -> Value {
    match (offer.less_at_period_end, is_change) {
        (true, _) => LESS.iter().map(|kind| json!({ "type": kind })).collect(),
        (false, true) => json!(""),
        (false, false) => Value::Array(Vec::new()),
    }
}
