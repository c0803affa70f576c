//! What is one object at Stripe? Whole, for those who read every shape.

use miniserde::json::Value as Parsed;
use serde::Serialize;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::super::StripeCall;

/// An object by its path, such as `/coupons/HALF`.
#[derive(Clone, Debug)]
pub struct AskObject<'a> {
    pub path: String,
    /// What of it is to be told whole.
    pub expand: &'a [&'a str],
}

#[derive(Serialize)]
struct ObjectQuery<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    expand: &'a [&'a str],
}

impl StripeCall for AskObject<'_> {
    type Answer = Parsed;

    fn request(&self) -> impl StripeRequest + Send {
        self.clone()
    }
}

impl StripeRequest for AskObject<'_> {
    type Output = Parsed;

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Get, self.path.clone()).query(&ObjectQuery { expand: self.expand })
    }
}
