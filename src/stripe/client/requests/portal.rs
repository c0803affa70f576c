//! Where does a person look after a subscription?

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

/// A page to look after a subscription on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPortal {
    pub customer: String,
    pub return_url: String,
    /// What it offers; `None`: what the Stripe account has by default.
    #[serde(default)]
    pub configuration: Option<String>,
    /// What it is opened to confirm; `None`: it shows all that it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<PortalChange>,
    /// The one thing that it is opened for, where it is not a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<PortalOnly>,
}

/// One thing that can be done on the page. The way to all others is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalOnly {
    /// Of this subscription.
    Cancellation(String),
    PaymentMethod,
}

/// A change that the person confirms on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalChange {
    pub subscription: String,
    pub item: String,
    pub price: String,
    pub quantity: u32,
    /// Whether money is taken for it that would not be taken without it.
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
    /// The person sees what it costs, says yes, and comes back.
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

/// When it is done, the person is not led to what else the page offers.
fn coming_back(return_url: &str) -> CreateBillingPortalSessionFlowDataAfterCompletion {
    let mut after = CreateBillingPortalSessionFlowDataAfterCompletion::new(
        CreateBillingPortalSessionFlowDataAfterCompletionType::Redirect,
    );
    after.redirect = Some(CreateBillingPortalSessionFlowDataAfterCompletionRedirect::new(return_url));
    after
}
