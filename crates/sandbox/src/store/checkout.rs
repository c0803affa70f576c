//! What is a person about to buy on the checkout page?

use strum::IntoStaticStr;

use super::{coupon::Redeemed, table::Stored};
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CheckoutMode {
    Payment,
    Subscription,
    Setup,
}

impl CheckoutMode {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CheckoutStatus {
    Open,
    Complete,
    Expired,
}

impl CheckoutStatus {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Clone, Debug)]
pub struct CheckoutItem {
    pub id: String,
    pub price: String,
    pub quantity: i64,
    /// The least and the greatest quantity, if a person may change it.
    pub adjustable: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
pub struct SandboxCheckout {
    pub id: String,
    pub created: i64,
    pub mode: CheckoutMode,
    pub status: CheckoutStatus,
    pub payment_status: &'static str,
    pub items: Vec<CheckoutItem>,
    pub currency: Option<String>,
    pub customer: Option<String>,
    pub customer_email: Option<String>,
    pub customer_creation: Option<String>,
    pub client_reference_id: Option<String>,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    pub expires_at: i64,
    pub metadata: ObjectMetadata,
    pub allow_promotion_codes: Option<bool>,
    pub method_always: bool,
    pub locale: Option<String>,
    /// For the subscription that the payment makes.
    pub subscription_metadata: ObjectMetadata,
    pub subscription_description: Option<String>,
    pub trial_end: Option<i64>,
    pub anchor: Option<i64>,
    /// Coupons, each with the promotion code that a person entered for it.
    pub discounts: Vec<Redeemed>,
    pub payment_link: Option<String>,
    pub prorates: bool,
    pub trial_without_method: String,
    pub flexible: bool,
    pub intent_metadata: ObjectMetadata,
    pub intent_description: Option<String>,
    pub intent_manual_capture: bool,
    pub intent_future_usage: Option<String>,
    pub payment_intent: Option<String>,
    pub setup_intent: Option<String>,
    pub subscription: Option<String>,
    pub invoice: Option<String>,
    pub paid_by: Option<(Option<String>, Option<String>)>,
}

impl Stored for SandboxCheckout {
    const KIND: &'static str = "checkout session";
    const OBJECT: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
