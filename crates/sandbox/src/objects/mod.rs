//! How does Stripe show its objects? One file for each kind of object, in the newest API version.
//!
//! A field that the sandbox never sets is shown as Stripe shows it when it is not set.

mod any;
pub mod charge;
pub mod checkout;
pub mod coupon;
pub mod credit_note;
pub mod customer;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod expand;
pub mod invoice;
pub mod line;
pub mod paging;
pub mod payment_intent;
pub mod payment_link;
pub mod payment_method;
pub mod portal;
pub mod price;
pub mod product;
pub mod refund;
pub mod schedule;
pub mod setup_intent;
pub mod subscription;

use serde_json::{Value, json};

use crate::store::{Store, table::Stored};

pub use any::render_any;

/// The API version in which all objects are rendered.
pub const NEWEST: &str = "2026-09-30.endive";

/// An object that the API can show.
pub trait Shown: Stored {
    /// The object in the newest API version. `store` has the objects that it refers to.
    fn render(&self, store: &Store) -> Value;
}

/// Adds fields that are `null`.
pub fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    if let Some(object) = object.as_object_mut() {
        for name in names {
            object.entry(*name).or_insert(Value::Null);
        }
    }
    object
}

/// A list inside another object.
pub fn inner_list(data: Vec<Value>, url: &str) -> Value {
    json!({ "object": "list", "total_count": data.len(), "data": data, "has_more": false, "url": url })
}

pub fn no_address() -> Value {
    json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null })
}
