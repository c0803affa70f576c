//! What would a subscription cost? A preview changes nothing, and can be repeated.

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
    /// The schedule that says what the subscription changes to when its period ends; the invoice is then for that.
    pub schedule: Option<String>,
    pub change: Option<SubscriptionItemChange>,
}

impl StripeCall for PreviewInvoice {
    /// The complete invoice, so that its lines can be read as in a webhook.
    type Answer = miniserde::json::Value;

    fn request(&self) -> impl StripeRequest + Send {
        // Stripe accepts only one of the two.
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
