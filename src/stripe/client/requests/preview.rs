//! What would a subscription cost? Asking changes nothing, and can be repeated.

use stripe_billing::invoice::{
    CreatePreviewInvoice, CreatePreviewInvoiceSubscriptionDetails,
    CreatePreviewInvoiceSubscriptionDetailsItems, CreatePreviewInvoiceSubscriptionDetailsProrationBehavior,
};
use stripe_client_core::StripeRequest;

use super::{
    super::StripeCall,
    subscription::{ProrationBehavior, SubscriptionItemChange},
};

/// The next invoice of a subscription: as it is, or with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewInvoice {
    pub subscription: String,
    /// What says what the subscription becomes when its period ends, which the invoice is then for.
    pub schedule: Option<String>,
    pub change: Option<SubscriptionItemChange>,
}

impl StripeCall for PreviewInvoice {
    /// The whole invoice: what it pays for is read as from a webhook.
    type Answer = miniserde::json::Value;

    fn request(&self) -> impl StripeRequest + Send {
        // Stripe takes one of the two.
        let preview = match &self.schedule {
            Some(schedule) => CreatePreviewInvoice::new().schedule(schedule.as_str()),
            None => CreatePreviewInvoice::new().subscription(self.subscription.as_str()),
        };
        match &self.change {
            Some(change) => preview.subscription_details(details(change)),
            None => preview,
        }
    }
}

fn details(change: &SubscriptionItemChange) -> CreatePreviewInvoiceSubscriptionDetails {
    let mut item = CreatePreviewInvoiceSubscriptionDetailsItems::new();
    item.id = Some(change.item.clone());
    item.price = Some(change.price.clone());
    item.quantity = Some(change.quantity.into());
    let mut details = CreatePreviewInvoiceSubscriptionDetails::new();
    details.items = Some(vec![item]);
    details.proration_behavior = Some(match change.proration {
        ProrationBehavior::AlwaysInvoice => {
            CreatePreviewInvoiceSubscriptionDetailsProrationBehavior::AlwaysInvoice
        }
        ProrationBehavior::CreateProrations => {
            CreatePreviewInvoiceSubscriptionDetailsProrationBehavior::CreateProrations
        }
        ProrationBehavior::None => CreatePreviewInvoiceSubscriptionDetailsProrationBehavior::None,
    });
    details.proration_date = change.proration_date;
    details
}
