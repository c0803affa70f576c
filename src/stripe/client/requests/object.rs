//! How is one object read? Complete, since it is passed on to code that reads every version.

use miniserde::json::Value as Parsed;
use serde::Serialize;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::super::StripeCall;

/// Reads an object by its path, such as `/coupons/HALF`.
#[derive(Clone, Debug)]
pub struct AskObject<'a> {
    pub path: String,
    /// Which references are expanded to complete objects.
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
