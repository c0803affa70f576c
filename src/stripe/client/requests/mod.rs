//! Which requests are sent to Stripe, and what is read of the answers?
//!
//! Requests that are stored before they are sent have a type of their own here, so that they can be repeated unchanged
//! after an upgrade of `async-stripe`.

mod checkout;
mod customer;
mod invoice;
mod listings;
mod object;
mod payment;
mod payment_method;
mod portal;
mod preview;
mod product;
mod schedule;
pub mod setup;
mod subscribe;
mod subscription;

use std::collections::HashMap;

use crate::domain::{metadata::Metadata, sold_pack::SoldPack};

pub use checkout::*;
pub use customer::*;
pub use invoice::*;
pub use listings::*;
pub use object::*;
pub use payment::*;
pub use payment_method::*;
pub use portal::*;
pub use preview::*;
pub use product::*;
pub use schedule::*;
pub use subscribe::*;
pub use subscription::*;

/// The name of an account's id in metadata, as `translate` reads it.
const ACCOUNT_ID: &str = "account_id";

fn of_account(account: &str) -> HashMap<String, String> {
    HashMap::from([(ACCOUNT_ID.to_owned(), account.to_owned())])
}

fn put(metadata: &mut HashMap<String, String>, name: &str, text: &str) {
    metadata.insert(name.to_owned(), text.to_owned());
}

/// The metadata of a chosen number of credits, as `translate` reads it.
fn of_credits(metadata: &mut HashMap<String, String>, sold: &SoldPack) {
    put(metadata, "kind", "topup");
    put(metadata, "topup_code", sold.pack.as_str());
    put(metadata, "topup_credits", &sold.credits.to_string());
    if let Some(days) = sold.expires_after_days {
        put(metadata, "topup_expires_after_days", &days.to_string());
    }
}

/// Adds the caller's metadata.
fn put_all(metadata: &mut HashMap<String, String>, given: &Metadata) {
    metadata.extend(given.written().map(|(name, text)| (name.into_owned(), text.into_owned())));
}
