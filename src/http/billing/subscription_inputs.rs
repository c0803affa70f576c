//! What do requests about subscriptions have in their bodies? What to change, and why somebody cancels.

use serde::Deserialize;
use strum::IntoStaticStr;
use utoipa::{IntoParams, ToSchema};

use super::inputs::{IntervalChoice, check_quantity, one};
use crate::{
    domain::{
        ids::{PlanId, ProviderId},
        subscription_change::{CancelAt, ChangeRequest},
        time::Timestamp,
    },
    http::{
        failure::Failure,
        request::{Pairs, word, word_or_nothing},
        schema::{Id, Time},
    },
    stripe::outbound::AmendmentRequest,
};

/// The longest reason, in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;

/// What to change. Fields that are left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "plan": "team", "proration_date": "2025-06-11T10:00:00Z" }))]
pub struct ChangeSubscriptionRequest {
    /// Needed if the account has several.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub subscription: Option<ProviderId>,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    plan: Option<PlanId>,
    /// How often it is paid.
    /// A change from monthly to yearly takes effect at once, and the preview shows what is charged.
    /// A change from yearly to monthly of a plan that is not larger waits until the year ends, unless the catalog says
    /// otherwise (`payments.downgrade`).
    #[serde(default, deserialize_with = "word_or_nothing")]
    interval: Option<IntervalChoice>,
    #[schema(minimum = 1, maximum = 10000)]
    #[serde(default)]
    quantity: Option<u32>,
    /// From a preview of the last hour: the amounts are then those that were shown.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    proration_date: Option<Timestamp>,
}

/// A plan to subscribe to, for a customer with a payment method.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "plan": "creator", "interval": "month" }))]
pub struct NewSubscriptionRequest {
    #[schema(value_type = Id)]
    pub plan: PlanId,
    #[serde(deserialize_with = "word")]
    pub interval: IntervalChoice,
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10000)]
    pub quantity: u32,
    /// Whether it begins with the trial that the catalog gives.
    #[serde(default)]
    pub trial: bool,
    /// The customer's default payment method if left out.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub payment_method: Option<ProviderId>,
    /// Also stored at Stripe.
    #[serde(default)]
    pub metadata: Pairs,
}

/// When and why the subscription is cancelled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "at": "period_end", "feedback": "too_expensive" }))]
pub struct CancelSubscriptionRequest {
    /// Needed if the account has several.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub subscription: Option<ProviderId>,
    #[serde(deserialize_with = "word")]
    at: CancelChoice,
    #[serde(default, deserialize_with = "word_or_nothing")]
    feedback: Option<Feedback>,
    /// In the person's own words. It is sent to Stripe, and not stored here.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelChoice {
    Now,
    PeriodEnd,
}

/// Stripe's codes for why somebody cancels.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Feedback {
    CustomerService,
    LowQuality,
    MissingFeatures,
    Other,
    SwitchedService,
    TooComplex,
    TooExpensive,
    Unused,
}

/// Which subscription is meant.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct SubscriptionRequest {
    /// Needed if the account has several.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub subscription: Option<ProviderId>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SubscriptionQuery {
    /// Needed if the account has several.
    #[param(value_type = Option<Id>)]
    pub subscription: Option<ProviderId>,
}

impl ChangeSubscriptionRequest {
    /// # Errors
    /// If nothing is to be changed, or a field is not valid.
    pub fn into_wish(self) -> Result<ChangeRequest, Failure> {
        let Self { plan, interval, quantity, proration_date, .. } = self;
        check_quantity(quantity.unwrap_or(1))?;
        if plan.is_none() && interval.is_none() && quantity.is_none() {
            return Err(Failure::body("$", "a `plan`, an `interval` or a `quantity` is needed"));
        }
        Ok(ChangeRequest { plan, interval: interval.map(Into::into), quantity, proration_date })
    }
}

impl CancelSubscriptionRequest {
    /// # Errors
    /// If the reason is not a line of text, or too long.
    pub fn into_wanted(self) -> Result<AmendmentRequest, Failure> {
        if self.reason.as_deref().is_some_and(|reason| !is_line(reason)) {
            let expected =
                format!("it has 1 to {REASON_CHARACTERS_MAX} characters, none of them a control character");
            return Err(Failure::body("$.reason", expected));
        }
        let feedback = self.feedback.map(Feedback::as_str);
        Ok(AmendmentRequest::Cancel { at: self.at.into(), feedback, reason: self.reason })
    }
}

impl Feedback {
    const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl From<CancelChoice> for CancelAt {
    fn from(choice: CancelChoice) -> Self {
        match choice {
            CancelChoice::Now => Self::Now,
            CancelChoice::PeriodEnd => Self::PeriodEnd,
        }
    }
}

fn is_line(text: &str) -> bool {
    let fits = (1..=REASON_CHARACTERS_MAX).contains(&text.chars().count());
    fits && !text.chars().any(char::is_control)
}
