//! How is Stripe set up and inspected? These requests are about products, prices, the portal and webhook endpoints.
//!
//! Changes set absolute values, so that they can be repeated; new objects are made under a key.

mod endpoints;
mod portals;
mod prices;
mod products;

use std::{convert::Infallible, str::FromStr};

pub use endpoints::{
    API_VERSION, ChangeEndpoint, ExistingEndpoint, ListEndpoints, ListEvents, MakeEndpoint, Undelivered,
};
pub use portals::{ExistingPortal, ListPortals, PortalOffer, SetPortal};
pub(super) use prices::recurring;
pub use prices::{
    ChangePrice, ExistingRecurrence, FindPrice, FindPrices, ListPrices, LookupPriceRequest,
    LookupPriceResponse,
};
pub use products::{ChangeProduct, ExistingProduct, FindProducts, NamedProductRequest};

/// How many objects a page of a list has: Stripe's limit.
const PAGE_LENGTH: i64 = 100;

/// A page of a list, newest first.
#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct SetupPage<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

/// An object with an id, which is the cursor of its list.
pub trait Identified {
    fn id(&self) -> &str;
}

/// A word as the client's type, which also accepts unknown ones.
fn word<T: FromStr<Err = Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(word) => word,
        Err(never) => match never {},
    }
}
