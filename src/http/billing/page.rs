//! Which part of a list at Stripe is asked for? The cursor is Stripe's own, and is sent to it unchanged.

use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use crate::{domain::ids::ProviderId, http::schema::Id, stripe::outbound::PageRequest};

/// How many items a page has if the request does not say.
const ITEMS_DEFAULT: u8 = 20;
/// The most items of a page: Stripe's limit.
const ITEMS_MAX: u8 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BillingPageQuery {
    /// At most this many; 20 if left out.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    #[serde(default)]
    pub limit: ListLimit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<Id>)]
    pub cursor: Option<ProviderId>,
}

#[derive(Clone, Copy, Debug)]
pub struct ListLimit(u8);

impl Default for ListLimit {
    fn default() -> Self {
        Self(ITEMS_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for ListLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = u8::deserialize(deserializer).ok().filter(|items| (1..=ITEMS_MAX).contains(items));
        items.map(Self).ok_or_else(|| de::Error::custom(format!("a page has 1 to {ITEMS_MAX} items")))
    }
}

impl ListLimit {
    pub const fn page(self, after: Option<ProviderId>) -> PageRequest {
        PageRequest { limit: self.0, after }
    }
}
