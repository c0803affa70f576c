//! How are customers found, made, linked to accounts, changed and deleted?
//!
//! Personal data is in types that can neither be printed nor stored.

use serde::{Deserialize, Serialize};
use stripe_client_core::StripeRequest;
use stripe_core::customer::{
    CreateCustomer, DeleteCustomer as Delete, ListCustomer, OptionalFieldsCustomerAddress, RetrieveCustomer,
    UpdateCustomer,
};

use super::{
    super::{Change, StripeCall},
    of_account,
};

/// How many customers with one e-mail address are read at once.
const CUSTOMERS_MAX: i64 = 100;

/// Makes a customer for an account. It has no other details, so that the request is the same each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeCustomer {
    pub account: String,
}

/// Sets the account that a customer belongs to, and its e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct AdoptCustomer {
    pub customer: String,
    pub account: String,
    pub email: String,
}

/// Lists the customers with an e-mail address, newest first, after one of them.
#[derive(Clone, PartialEq, Eq)]
pub struct FindCustomers {
    pub email: String,
    pub after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct CreatedCustomer {
    pub id: String,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct FoundCustomers {
    pub data: Vec<FoundCustomer>,
    pub has_more: bool,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
pub struct FoundCustomer {
    pub id: String,
    /// In seconds since 1970.
    pub created: Option<i64>,
    metadata: Option<CustomerMetadata>,
}

#[derive(Clone, Debug, miniserde::Deserialize)]
struct CustomerMetadata {
    account_id: Option<String>,
}

/// Details of a customer. Those that are absent stay as they are, and an empty text removes a value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CustomerDetails {
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    /// Replaces the whole address.
    pub address: Option<Address>,
}

#[derive(Clone, Default, PartialEq, Eq, miniserde::Deserialize)]
pub struct Address {
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub country: Option<String>,
}

/// Sets details of a customer.
#[derive(Clone, PartialEq, Eq)]
pub struct DescribeCustomer {
    pub customer: String,
    pub details: CustomerDetails,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindCustomer {
    pub customer: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteCustomer {
    pub customer: String,
}

/// A customer, as Stripe has it.
#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeCustomer {
    pub id: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub address: Option<Address>,
    /// In seconds since 1970.
    pub created: Option<i64>,
    /// Whether its latest invoice is overdue.
    pub delinquent: Option<bool>,
    invoice_settings: Option<InvoiceSettings>,
    deleted: Option<bool>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
struct InvoiceSettings {
    default_payment_method: Option<String>,
}

impl CustomerDetails {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl StripeCustomer {
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted == Some(true)
    }

    /// The payment method for its invoices.
    #[must_use]
    pub fn default_method(&self) -> Option<&str> {
        self.invoice_settings.as_ref()?.default_payment_method.as_deref()
    }
}

impl FoundCustomer {
    /// The account that it was made for, if there is one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.account_id.as_deref())
    }
}

impl StripeCall for MakeCustomer {
    type Answer = CreatedCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        CreateCustomer::new().metadata(of_account(&self.account))
    }
}

impl Change for MakeCustomer {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for AdoptCustomer {
    type Answer = CreatedCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        UpdateCustomer::new(self.customer.as_str())
            .email(self.email.as_str())
            .metadata(of_account(&self.account))
    }
}

impl StripeCall for FindCustomers {
    type Answer = FoundCustomers;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListCustomer::new().email(self.email.as_str()).limit(CUSTOMERS_MAX);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}

impl StripeCall for DescribeCustomer {
    type Answer = StripeCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        let CustomerDetails { email, name, phone, address } = self.details.clone();
        let mut update = UpdateCustomer::new(self.customer.as_str());
        if let Some(email) = email {
            update = update.email(email);
        }
        if let Some(name) = name {
            update = update.name(name);
        }
        if let Some(phone) = phone {
            update = update.phone(phone);
        }
        if let Some(address) = address {
            update = update.address(whole(address));
        }
        update
    }
}

/// An address that leaves nothing of an earlier one.
fn whole(address: Address) -> OptionalFieldsCustomerAddress {
    let line = |line: Option<String>| Some(line.unwrap_or_default());
    let mut whole = OptionalFieldsCustomerAddress::new();
    whole.line1 = line(address.line1);
    whole.line2 = line(address.line2);
    whole.postal_code = line(address.postal_code);
    whole.city = line(address.city);
    whole.state = line(address.state);
    whole.country = line(address.country);
    whole
}

impl StripeCall for FindCustomer {
    type Answer = StripeCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        RetrieveCustomer::new(self.customer.as_str())
    }
}

impl StripeCall for DeleteCustomer {
    type Answer = CreatedCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        Delete::new(self.customer.as_str())
    }
}
