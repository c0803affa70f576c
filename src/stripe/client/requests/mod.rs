//! What is Stripe asked for, and what is read of its answers?
//!
//! What is written down before it is asked has a form of its own here, so that it can be asked again in the same words
//! after an upgrade of `async-stripe`.

mod checkout;
mod customer;
mod listings;
mod portal;

use std::collections::HashMap;

pub use checkout::{CheckoutOpened, OpenCheckout, Sold};
pub use customer::{AdoptCustomer, CustomerKept, CustomersFound, FindCustomers, MakeCustomer};
pub use listings::{AskPage, Listing, Page, TYPES_MAX};
pub use portal::{OpenPortal, PortalOpened};

/// Where an account's id is in metadata, as `translate` reads it.
const ACCOUNT_ID: &str = "account_id";

fn of_account(account: &str) -> HashMap<String, String> {
    HashMap::from([(ACCOUNT_ID.to_owned(), account.to_owned())])
}
