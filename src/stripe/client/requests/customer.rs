//! Who pays? Customers are found, made, and told which account they are.

use ::stripe::StripeRequest;
use serde::{Deserialize, Serialize};
use stripe_core::customer::{CreateCustomer, ListCustomer, UpdateCustomer};

use super::{super::Ask, of_account};

/// How many customers with one e-mail address are looked at.
const CUSTOMERS_MAX: i64 = 100;

/// A customer for an account. It has no other particulars, so that it is the same request each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeCustomer {
    pub account: String,
}

/// Sets what a customer belongs to, and the address that its receipts go to.
#[derive(Clone, PartialEq, Eq)]
pub struct AdoptCustomer {
    pub customer: String,
    pub account: String,
    pub email: String,
}

/// The customers with an e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct FindCustomers {
    pub email: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct CustomerKept {
    pub id: String,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct CustomersFound {
    pub data: Vec<CustomerFound>,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct CustomerFound {
    pub id: String,
    metadata: Option<Metadata>,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
struct Metadata {
    account_id: Option<String>,
}

impl CustomerFound {
    /// The account that it was made for, if it was made for one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.account_id.as_deref())
    }
}

impl Ask for MakeCustomer {
    type Answer = CustomerKept;

    fn request(&self) -> impl StripeRequest + Send {
        CreateCustomer::new().metadata(of_account(&self.account))
    }
}

impl Ask for AdoptCustomer {
    type Answer = CustomerKept;

    fn request(&self) -> impl StripeRequest + Send {
        UpdateCustomer::new(self.customer.as_str())
            .email(self.email.as_str())
            .metadata(of_account(&self.account))
    }
}

impl Ask for FindCustomers {
    type Answer = CustomersFound;

    fn request(&self) -> impl StripeRequest + Send {
        ListCustomer::new().email(self.email.as_str()).limit(CUSTOMERS_MAX)
    }
}
