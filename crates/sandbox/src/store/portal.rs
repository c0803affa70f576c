//! What may a person change on the portal page?

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Debug)]
pub struct Configuration {
    pub id: String,
    pub created: i64,
    pub updated: i64,
    pub active: bool,
    pub is_default: bool,
    pub name: Option<String>,
    pub default_return_url: Option<String>,
    pub headline: Option<String>,
    pub privacy_policy_url: Option<String>,
    pub terms_of_service_url: Option<String>,
    pub metadata: ObjectMetadata,
    pub method_update: bool,
    pub invoice_history: bool,
    pub cancel: bool,
    pub cancel_at_period_end: bool,
    pub cancel_proration: String,
    pub cancel_reasons: Vec<String>,
    pub update: bool,
    pub proration_behavior: String,
    /// Whether a change ends a trial.
    pub ends_trial: bool,
    /// Whether a change begins a new period.
    pub restarts: bool,
    /// Which changes take effect at the end of the period: `decreasing_item_amount`, `shortening_interval`.
    pub at_period_end: Vec<String>,
    /// The products, with their prices, that a subscription may change to. Empty: every active one.
    pub products: Vec<(String, Vec<String>)>,
}

impl Stored for Configuration {
    const KIND: &'static str = "configuration";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

#[derive(Clone, Debug)]
pub struct PortalSession {
    pub id: String,
    pub created: i64,
    pub customer: String,
    pub configuration: String,
    pub return_url: Option<String>,
    pub locale: Option<String>,
    pub flow: Option<Flow>,
    /// Part of the page's address. Whoever has it can open the page.
    pub secret: String,
}

/// The one action that the page was opened for.
#[derive(Clone, Debug)]
pub struct Flow {
    pub kind: String,
    /// For `subscription_update_confirm`.
    pub confirm: Option<Confirm>,
    /// For `subscription_cancel`.
    pub cancel: Option<String>,
    /// Where the person is sent afterwards.
    pub redirect: Option<String>,
}

/// A change that the person only confirms.
#[derive(Clone, Debug)]
pub struct Confirm {
    pub subscription: String,
    pub item: String,
    pub price: String,
    pub quantity: Option<i64>,
}

impl PortalSession {
    /// Whether the page shows this subscription.
    pub fn is_about(&self, subscription: &str) -> bool {
        match &self.flow {
            None => true,
            Some(Flow { cancel: Some(cancel), .. }) => cancel == subscription,
            Some(Flow { kind, .. }) => kind != "payment_method_update",
        }
    }
}

impl Stored for PortalSession {
    const KIND: &'static str = "billing portal session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
