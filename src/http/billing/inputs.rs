//! What do requests for pages have in their bodies? A plan or a pack, and where the person returns to.

use serde::Deserialize;
use utoipa::ToSchema;

use super::web_url::WebUrl;
use crate::{
    domain::{
        catalog::Interval,
        ids::{PackId, PlanId, ProviderId},
        metadata::Metadata,
        purchase::PurchaseRequest,
        subscription_change::ChangeRequest,
    },
    http::{
        failure::Failure,
        request::{Amount, Pairs, word_or_nothing},
        schema::Id,
    },
    stripe::outbound::Chosen,
};

/// The largest quantity of one purchase.
pub const QUANTITY_MAX: u32 = 10_000;
/// The longest e-mail address, in bytes.
const EMAIL_BYTES_MAX: usize = 320;

/// Something to buy: a `plan` with its `interval`, a `pack`, or a number of `credits`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "plan": "creator", "interval": "month", "success_url": "https://example.com/thanks",
    "cancel_url": "https://example.com/pricing",
}))]
pub struct CheckoutOrder {
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    plan: Option<PlanId>,
    /// `month` or `year`; needed with `plan`.
    #[serde(default, deserialize_with = "word_or_nothing")]
    interval: Option<IntervalChoice>,
    /// Whether the plan begins with the trial that the catalog gives.
    #[serde(default)]
    trial: bool,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pack: Option<PackId>,
    /// How many credits, if the catalog sells any number of them.
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    credits: Option<Amount>,
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10000)]
    quantity: u32,
    /// Where the person returns to after paying.
    /// `{CHECKOUT_SESSION_ID}` in it is replaced by the id of the session; without it, `checkout_session_id` is added
    /// as a parameter.
    success_url: WebUrl,
    /// Where the person returns to without having paid.
    cancel_url: WebUrl,
    /// Finds or names the customer at Stripe. It is sent to Stripe, and not stored here.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 320, pattern = "^[!-?A-~]+@[!-?A-~]+$")]
    email: Option<String>,
    /// Also stored at Stripe, with the payment or the subscription.
    #[serde(default)]
    metadata: Pairs,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalChoice {
    Month,
    Year,
}

/// Where the person returns to, and which change they are to confirm, if any.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "return_url": "https://example.com/account", "plan": "team" }))]
pub struct PortalSessionRequest {
    return_url: WebUrl,
    /// Which subscription to change; needed if the account has several.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    subscription: Option<ProviderId>,
    /// The plan to change to. With `plan` or `interval`, the page shows only this change.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    plan: Option<PlanId>,
    #[serde(default, deserialize_with = "word_or_nothing")]
    interval: Option<IntervalChoice>,
}

impl PortalSessionRequest {
    /// Where the person returns to, and the change that they are to confirm.
    ///
    /// # Errors
    /// If a subscription is named without a change.
    pub fn into_parts(self) -> Result<(String, Option<Chosen>), Failure> {
        let Self { return_url, subscription, plan, interval } = self;
        let is_change = plan.is_some() || interval.is_some();
        if subscription.is_some() && !is_change {
            let expected = "it is only for a change: send a `plan` or an `interval`, too";
            return Err(Failure::body("$.subscription", expected));
        }
        let wish = ChangeRequest { plan, interval: interval.map(Into::into), ..ChangeRequest::default() };
        Ok((return_url.into(), is_change.then_some(Chosen { subscription, wish })))
    }
}

/// # Errors
/// If the quantity is 0 or too large.
pub(super) fn check_quantity(quantity: u32) -> Result<(), Failure> {
    if (1..=QUANTITY_MAX).contains(&quantity) {
        return Ok(());
    }
    Err(Failure::body("$.quantity", format!("a whole number from 1 to {QUANTITY_MAX} is expected")))
}

/// A purchase whose fields fit together.
pub struct CheckoutParts {
    pub wish: PurchaseRequest,
    pub success_url: String,
    pub cancel_url: String,
    pub email: Option<String>,
    pub metadata: Metadata,
}

impl CheckoutOrder {
    /// # Errors
    /// If its fields do not fit together, or one is not valid.
    pub fn into_parts(self) -> Result<CheckoutParts, Failure> {
        check_quantity(self.quantity)?;
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(Failure::body("$.email", "an e-mail address is expected"));
        }
        let wish = self.wish()?;
        let (success_url, cancel_url) = (self.success_url.into(), self.cancel_url.into());
        Ok(CheckoutParts { wish, success_url, cancel_url, email: self.email, metadata: self.metadata.0 })
    }

    fn wish(&self) -> Result<PurchaseRequest, Failure> {
        let (quantity, trial) = (self.quantity, self.trial);
        let once = |path: &str, what: &str| {
            if self.interval.is_some() || trial {
                return Err(Failure::body(path, format!("{what} no `interval` and no `trial`")));
            }
            Ok(())
        };
        match (&self.plan, &self.pack, self.credits, self.interval) {
            (Some(plan), None, None, Some(interval)) => {
                Ok(PurchaseRequest::Plan { plan: plan.clone(), interval: interval.into(), quantity, trial })
            }
            (Some(_), None, None, None) => Err(Failure::body("$.interval", "a plan needs `month` or `year`")),
            (None, Some(pack), None, _) => {
                once("$.pack", "a pack has")?;
                Ok(PurchaseRequest::Pack { pack: pack.clone(), quantity })
            }
            (None, None, Some(credits), _) => {
                once("$.credits", "credits that are bought once have")?;
                if quantity != 1 {
                    return Err(Failure::body("$.quantity", "it cannot be sent together with `credits`"));
                }
                Ok(PurchaseRequest::Credits(credits.credits()))
            }
            _ => Err(Failure::body("$", "exactly one of `plan`, `pack` and `credits` is needed")),
        }
    }
}

impl From<IntervalChoice> for Interval {
    fn from(choice: IntervalChoice) -> Self {
        match choice {
            IntervalChoice::Month => Self::Month,
            IntervalChoice::Year => Self::Year,
        }
    }
}

pub(super) const fn one() -> u32 {
    1
}

/// Only refuses what cannot be an address. Whether it exists, Stripe finds out.
pub(super) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let filled =
        parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    filled && text.len() <= EMAIL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}
