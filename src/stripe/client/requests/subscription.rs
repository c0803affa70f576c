//! How is a subscription read, changed, paused and ended?

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stripe_billing::subscription::{
    CancelSubscription, CancelSubscriptionCancellationDetails, CancelSubscriptionCancellationDetailsFeedback,
    ResumeSubscription, RetrieveSubscription, UpdateSubscription, UpdateSubscriptionCancellationDetails,
    UpdateSubscriptionCancellationDetailsFeedback, UpdateSubscriptionItems,
    UpdateSubscriptionPauseCollection, UpdateSubscriptionPauseCollectionBehavior,
    UpdateSubscriptionPaymentBehavior, UpdateSubscriptionProrationBehavior,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::{
    super::{Change, StripeCall},
    Phases, ReleaseSchedule,
};

/// Reads a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindSubscription {
    pub subscription: String,
}

/// Sets the payment method of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeSubscription {
    pub subscription: String,
    pub method: String,
}

/// A change of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendSubscription {
    pub subscription: String,
    pub amendment: Amendment,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    Change(SubscriptionItemChange),
    /// `feedback` is one of Stripe's codes.
    CancelNow {
        feedback: Option<String>,
    },
    CancelAtPeriodEnd {
        feedback: Option<String>,
    },
    /// For a subscription that would end with its period.
    StayAfterPeriod,
    /// For a subscription that would end on a date, such as one that was cancelled on the portal in flexible billing
    /// mode.
    StayAfterDate,
    /// Invoices are still made, and are void.
    PauseCollection,
    ResumeCollection,
    /// For a subscription without a running period: a new one begins.
    Resume,
    /// Sets what it changes to when its period ends.
    Schedule(Phases),
    /// Ends a schedule, so that it stays as it is.
    Release(ReleaseSchedule),
}

/// The change of an item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItemChange {
    pub item: String,
    pub price: String,
    pub quantity: u32,
    /// Whether the change is only made if its invoice is paid, so that nobody gets a larger plan for an unpaid one.
    pub paid_or_not_changed: bool,
    pub proration: ProrationBehavior,
    /// In seconds since 1970. `None`: nothing is prorated.
    pub proration_date: Option<i64>,
    /// Whether it takes money that would not be taken otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins_charge: bool,
}

/// Stripe's codes for when the difference is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProrationBehavior {
    AlwaysInvoice,
    CreateProrations,
    None,
}

/// Sets why a person cancels. It is stored only at Stripe.
#[derive(Clone, PartialEq, Eq)]
pub struct DescribeCancellation {
    pub subscription: String,
    pub comment: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeSubscription {
    pub id: String,
    pub status: String,
    /// In seconds since 1970, like all times here.
    pub cancel_at: Option<i64>,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<i64>,
    pub pause_collection: Option<CollectionPaused>,
    pub items: StripeSubscriptionItems,
    pub customer: Option<String>,
    /// Its payment method, if it is not the customer's default.
    pub default_payment_method: Option<String>,
    /// When it was made.
    pub created: Option<i64>,
    pub latest_invoice: Option<String>,
    /// The schedule that says what it changes to, if there is one.
    pub schedule: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct CollectionPaused {
    pub behavior: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeSubscriptionItems {
    pub data: Vec<StripeSubscriptionItem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeSubscriptionItem {
    pub id: String,
    /// `None`: it is metered.
    pub quantity: Option<u32>,
    pub price: PriceResponse,
    pub current_period_end: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PriceResponse {
    pub id: String,
}

impl Amendment {
    /// Whether a subscription already is as this would make it.
    #[must_use]
    pub fn holds_for(&self, row: &StripeSubscription) -> bool {
        let ended = row.ended_at.is_some();
        let ends = row.cancel_at_period_end || row.cancel_at.is_some();
        match self {
            Self::Change(change) => row.items.data.iter().any(|item| {
                item.id == change.item
                    && item.price.id == change.price
                    && item.quantity == Some(change.quantity)
            }),
            Self::CancelNow { .. } => ended,
            Self::CancelAtPeriodEnd { .. } => ended || ends,
            Self::StayAfterPeriod | Self::StayAfterDate => !ended && !ends,
            Self::PauseCollection => !ended && row.pause_collection.is_some(),
            Self::ResumeCollection => !ended && row.pause_collection.is_none(),
            Self::Resume => row.status == "active",
            // That there is a schedule does not say which one.
            Self::Schedule(_) => false,
            Self::Release(_) => row.schedule.is_none(),
        }
    }
}

impl StripeCall for FindSubscription {
    type Answer = StripeSubscription;

    fn request(&self) -> impl StripeRequest + Send {
        RetrieveSubscription::new(self.subscription.as_str())
    }
}

impl StripeCall for ChargeSubscription {
    type Answer = StripeSubscription;

    fn request(&self) -> impl StripeRequest + Send {
        UpdateSubscription::new(self.subscription.as_str()).default_payment_method(self.method.as_str())
    }
}

impl StripeCall for DescribeCancellation {
    type Answer = StripeSubscription;

    fn request(&self) -> impl StripeRequest + Send {
        let mut details = UpdateSubscriptionCancellationDetails::new();
        details.comment = Some(self.comment.clone());
        UpdateSubscription::new(self.subscription.as_str()).cancellation_details(details)
    }
}

impl StripeCall for AmendSubscription {
    type Answer = StripeSubscription;

    fn request(&self) -> impl StripeRequest + Send {
        self.clone()
    }
}

impl Change for AmendSubscription {
    fn begins_charge(&self) -> bool {
        match &self.amendment {
            Amendment::Change(change) => change.begins_charge,
            // A subscription without a running period begins a new one.
            Amendment::Resume => true,
            Amendment::CancelNow { .. }
            | Amendment::CancelAtPeriodEnd { .. }
            | Amendment::StayAfterPeriod
            | Amendment::StayAfterDate
            | Amendment::PauseCollection
            | Amendment::ResumeCollection
            | Amendment::Schedule(_)
            | Amendment::Release(_) => false,
        }
    }
}

/// The kinds of amendments are different types of requests.
impl StripeRequest for AmendSubscription {
    type Output = miniserde::json::Value;

    fn build(&self) -> RequestBuilder {
        let update = || UpdateSubscription::new(self.subscription.as_str());
        match &self.amendment {
            Amendment::Change(change) => change.request(update()).build(),
            Amendment::CancelNow { feedback } => {
                let cancel = CancelSubscription::new(self.subscription.as_str());
                match feedback {
                    Some(word) => cancel.cancellation_details(of_cancel(word)).build(),
                    None => cancel.build(),
                }
            }
            Amendment::CancelAtPeriodEnd { feedback } => {
                let update = update().cancel_at_period_end(true);
                match feedback {
                    Some(word) => update.cancellation_details(of_update(word)).build(),
                    None => update.build(),
                }
            }
            Amendment::StayAfterPeriod => update().cancel_at_period_end(false).build(),
            Amendment::StayAfterDate => self.clear("cancel_at"),
            Amendment::PauseCollection => update()
                .pause_collection(UpdateSubscriptionPauseCollection::new(
                    UpdateSubscriptionPauseCollectionBehavior::Void,
                ))
                .build(),
            Amendment::ResumeCollection => self.clear("pause_collection"),
            Amendment::Resume => ResumeSubscription::new(self.subscription.as_str()).build(),
            Amendment::Schedule(phases) => phases.request().build(),
            Amendment::Release(release) => release.request().build(),
        }
    }
}

impl AmendSubscription {
    /// Stripe unsets a field that is sent as an empty text, which the typed requests cannot express.
    fn clear(&self, field: &str) -> RequestBuilder {
        let path = format!("/subscriptions/{}", self.subscription);
        RequestBuilder::new(StripeMethod::Post, path).form(&HashMap::from([(field, "")]))
    }
}

impl SubscriptionItemChange {
    fn request(&self, update: UpdateSubscription) -> UpdateSubscription {
        let mut item = UpdateSubscriptionItems::new();
        item.id = Some(self.item.clone());
        item.price = Some(self.price.clone());
        item.quantity = Some(self.quantity.into());
        let update = update.items([item]).proration_behavior(self.proration.of_update());
        let update = if self.paid_or_not_changed {
            update.payment_behavior(UpdateSubscriptionPaymentBehavior::ErrorIfIncomplete)
        } else {
            update
        };
        match self.proration_date {
            Some(date) => update.proration_date(date),
            None => update,
        }
    }
}

impl ProrationBehavior {
    const fn of_update(self) -> UpdateSubscriptionProrationBehavior {
        match self {
            Self::AlwaysInvoice => UpdateSubscriptionProrationBehavior::AlwaysInvoice,
            Self::CreateProrations => UpdateSubscriptionProrationBehavior::CreateProrations,
            Self::None => UpdateSubscriptionProrationBehavior::None,
        }
    }
}

fn of_cancel(feedback: &str) -> CancelSubscriptionCancellationDetails {
    let mut details = CancelSubscriptionCancellationDetails::new();
    // Parsing cannot fail: unknown codes are sent, and Stripe refuses them.
    details.feedback = feedback.parse::<CancelSubscriptionCancellationDetailsFeedback>().ok();
    details
}

fn of_update(feedback: &str) -> UpdateSubscriptionCancellationDetails {
    let mut details = UpdateSubscriptionCancellationDetails::new();
    details.feedback = feedback.parse::<UpdateSubscriptionCancellationDetailsFeedback>().ok();
    details
}
