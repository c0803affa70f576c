//! Where does a person look after a subscription?

use ::stripe::StripeRequest;
use serde::{Deserialize, Serialize};
use stripe_billing::billing_portal_session::CreateBillingPortalSession;

use super::super::Ask;

/// A page to look after a subscription on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPortal {
    pub customer: String,
    pub return_url: String,
    /// What it offers; `None`: what the Stripe account has by default.
    #[serde(default)]
    pub configuration: Option<String>,
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
        match &self.configuration {
            Some(configuration) => session.configuration(configuration.as_str()),
            None => session,
        }
    }
}
