//! Where does a person look after a subscription?

use ::stripe::StripeRequest;
use serde::{Deserialize, Serialize};
use stripe_billing::billing_portal_session::{
    CreateBillingPortalSession, CreateBillingPortalSessionFlowData,
    CreateBillingPortalSessionFlowDataAfterCompletion,
    CreateBillingPortalSessionFlowDataAfterCompletionRedirect,
    CreateBillingPortalSessionFlowDataAfterCompletionType,
    CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirm,
    CreateBillingPortalSessionFlowDataSubscriptionUpdateConfirmItems, CreateBillingPortalSessionFlowDataType,
};

use super::super::Ask;

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
}

/// A change that the person confirms on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalChange {
    pub subscription: String,
    pub item: String,
    pub price: String,
    pub quantity: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PortalOpened {
    pub url: String,
}

impl Ask for OpenPortal {
    type Answer = PortalOpened;

    fn request(&self) -> impl StripeRequest + Send {
        let session = CreateBillingPortalSession::new()
            .customer(self.customer.as_str())
            .return_url(self.return_url.as_str());
        let session = match &self.configuration {
            Some(configuration) => session.configuration(configuration.as_str()),
            None => session,
        };
        match &self.change {
            Some(change) => session.flow_data(change.flow(&self.return_url)),
            None => session,
        }
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
        let mut after = CreateBillingPortalSessionFlowDataAfterCompletion::new(
            CreateBillingPortalSessionFlowDataAfterCompletionType::Redirect,
        );
        after.redirect = Some(CreateBillingPortalSessionFlowDataAfterCompletionRedirect::new(return_url));
        let mut flow = CreateBillingPortalSessionFlowData::new(
            CreateBillingPortalSessionFlowDataType::SubscriptionUpdateConfirm,
        );
        flow.subscription_update_confirm = Some(confirm);
        flow.after_completion = Some(after);
        flow
    }
}
