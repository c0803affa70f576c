//! What is asked of Stripe to set it up, and to see how it is set up? What is sold, what the portal offers, and who is
//! told.
//!
//! Values are set absolutely, so that a change may be asked for again; what is made is made under a key.

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

/// How many objects a page of a list has: the most that Stripe gives.
const PAGE_LENGTH: i64 = 100;

/// A part of a list, the newest first.
#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct SetupPage<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

/// Something with an id, by which a list goes on.
pub trait Identified {
    fn id(&self) -> &str;
}

/// A word that Stripe has a variant for, or will have.
fn word<T: FromStr<Err = Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(word) => word,
        Err(never) => match never {},
    }
}
