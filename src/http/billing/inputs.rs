//! What do requests for pages say in their bodies? A plan or a pack, and where the person comes back to.

use serde::Deserialize;
use utoipa::ToSchema;

use super::web_url::WebUrl;
use crate::{
    domain::{
        catalog::Interval,
        names::{PackId, PlanId},
        sale::Wish,
    },
    http::{failure::Failure, schema::Id},
};

/// The most of one thing that is bought at once.
pub const QUANTITY_MAX: u32 = 10_000;
/// The longest e-mail address, in bytes.
const EMAIL_BYTES_MAX: usize = 320;

/// Something to buy: a `plan` with its `interval`, or a `pack`.
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
    /// How often a plan is paid for.
    #[serde(default)]
    interval: Option<IntervalChoice>,
    /// Whether a plan begins with the days that the catalog gives for trying it.
    #[serde(default)]
    trial: bool,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pack: Option<PackId>,
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10000)]
    quantity: u32,
    /// Where the person comes back to after paying. `{CHECKOUT_SESSION_ID}` in it becomes the id of the session; without
    /// it, `checkout_session_id` is added.
    success_url: WebUrl,
    /// Where the person comes back to without having paid.
    cancel_url: WebUrl,
    /// Finds or names the customer at Stripe. It is passed on, and not kept here.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 320, pattern = "^[!-?A-~]+@[!-?A-~]+$")]
    email: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalChoice {
    Month,
    Year,
}

/// Where the person comes back to from the page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "return_url": "https://example.com/account" }))]
pub struct PortalOrder {
    pub return_url: WebUrl,
}

/// An order whose fields go together.
pub struct CheckoutParts {
    pub wish: Wish,
    pub success_url: String,
    pub cancel_url: String,
    pub email: Option<String>,
}

impl CheckoutOrder {
    /// # Errors
    /// When its fields do not go together, or one is not possible.
    pub fn into_parts(self) -> Result<CheckoutParts, Failure> {
        if !(1..=QUANTITY_MAX).contains(&self.quantity) {
            return Err(Failure::body("$.quantity", format!("it is 1 to {QUANTITY_MAX}")));
        }
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(Failure::body("$.email", "it is an e-mail address"));
        }
        let quantity = self.quantity;
        let wish = match (self.plan, self.pack, self.interval) {
            (Some(plan), None, Some(interval)) => {
                Wish::Plan { plan, interval: interval.into(), quantity, trial: self.trial }
            }
            (Some(_), None, None) => {
                return Err(Failure::body("$.interval", "a plan is paid for by the `month` or `year`"));
            }
            (None, Some(pack), None) if !self.trial => Wish::Pack { pack, quantity },
            (None, Some(_), _) => {
                return Err(Failure::body("$.pack", "a pack has no `interval` and no `trial`"));
            }
            (Some(_), Some(_), _) | (None, None, _) => {
                return Err(Failure::body("$", "either a `plan` or a `pack` is needed"));
            }
        };
        let (success_url, cancel_url) = (self.success_url.into(), self.cancel_url.into());
        Ok(CheckoutParts { wish, success_url, cancel_url, email: self.email })
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

const fn one() -> u32 {
    1
}

/// Only what could never be one is refused: whether it exists is Stripe's to find out.
pub(super) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let filled =
        parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    filled && text.len() <= EMAIL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}
