//! How is the customer portal opened?

use serde::{Deserialize, Serialize};
use stripe_billing::billing_portal_session::{
    CreateBillingPortalSession, CreateBillingPortalSessionFlowData,
    CreateBillingPortalSessionFlowDataAfterCompletion,
    CreateBillingPortalSessionFlowDataAfterCompletionRedirect,
    CreateBillingPortalSessionFlowDataAfterCompletionType,
    CreateBillingPortalSessionFlowDataSubscriptionCancel,
    CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirm,
    CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirmItems, CreateBillingPortalSessionFlowDataType,
};
use stripe_client_core::StripeRequest;

use super::super::{Change, StripeCall};

/// Opens the customer portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPortal {
    pub customer: String,
    pub return_url: String,
    /// The configuration. `None`: the Stripe account's default.
    #[serde(default)]
    pub configuration: Option<String>,
    /// The change to confirm. `None`: the portal shows all that it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<PortalChange>,
    /// The only thing that the portal is opened for, if it is not a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<PortalOnly>,
}

/// A single thing that can be done on the portal. Everything else is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalOnly {
    /// Of this subscription.
    Cancellation(String),
    PaymentMethod,
}

/// A change that the person confirms on the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalChange {
    pub subscription: String,
    pub item: String,
    pub price: String,
    pub quantity: u32,
    /// Whether it takes money that would not be taken otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins_charge: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct OpenedPortal {
    pub url: String,
}

impl StripeCall for OpenPortal {
    type Answer = OpenedPortal;

    fn request(&self) -> impl StripeRequest + Send {
        let session = CreateBillingPortalSession::new()
            .customer(self.customer.as_str())
            .return_url(self.return_url.as_str());
        let session = match &self.configuration {
            Some(configuration) => session.configuration(configuration.as_str()),
            None => session,
        };
        match (&self.change, &self.only) {
            (Some(change), _) => session.flow_data(change.flow(&self.return_url)),
            (None, Some(only)) => session.flow_data(only.flow(&self.return_url)),
            (None, None) => session,
        }
    }
}

impl Change for OpenPortal {
    fn begins_charge(&self) -> bool {
        self.change.as_ref().is_some_and(|change| change.begins_charge)
    }
}

impl PortalChange {
    /// The person sees the cost, confirms, and returns.
    fn flow(&self, return_url: &str) -> CreateBillingPortalSessionFlowData {
        let mut item =
            CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirmItems::new(self.item.as_str());
        item.price = Some(self.price.clone());
        item.quantity = Some(self.quantity.into());
        let confirm = CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirm::new(
            [item],
            self.subscription.as_str(),
        );
        let mut flow = CreateBillingPortalSessionFlowData::new(
            CreateBillingPortalSessionFlowDataType::SubscriptionUpdateConfirm,
        );
        flow.subscription_update_confirm = Some(confirm);
        flow.after_completion = Some(coming_back(return_url));
        flow
    }
}

impl PortalOnly {
    fn flow(&self, return_url: &str) -> CreateBillingPortalSessionFlowData {
        use CreateBillingPortalSessionFlowDataType::{PaymentMethodUpdate, SubscriptionCancel};
        let mut flow = match self {
            Self::PaymentMethod => CreateBillingPortalSessionFlowData::new(PaymentMethodUpdate),
            Self::Cancellation(subscription) => {
                let mut flow = CreateBillingPortalSessionFlowData::new(SubscriptionCancel);
                let cancel = CreateBillingPortalSessionFlowDataSubscriptionCancel::new(subscription.as_str());
                flow.subscription_cancel = Some(cancel);
                flow
            }
        };
        flow.after_completion = Some(coming_back(return_url));
        flow
    }
}

/// Afterwards, the person returns, and does not see what else the portal offers.
fn coming_back(return_url: &str) -> CreateBillingPortalSessionFlowDataAfterCompletion {
    let mut after = CreateBillingPortalSessionFlowDataAfterCompletion::new(
        CreateBillingPortalSessionFlowDataAfterCompletionType::Redirect,
    );
    after.redirect = Some(CreateBillingPortalSessionFlowDataAfterCompletionRedirect::new(return_url));
    after
}
