//! How are payment methods attached, detached and listed?
//! Only by their ids: card details are entered at Stripe, and never come here.

use serde::{Deserialize, Serialize};
use stripe_client_core::StripeRequest;
use stripe_core::customer::{ListPaymentMethodsCustomer, UpdateCustomer, UpdateCustomerInvoiceSettings};
use stripe_payment::payment_method::{AttachPaymentMethod, DetachPaymentMethod, RetrievePaymentMethod};

use super::{
    super::{Change, StripeCall},
    CreatedCustomer,
};

/// Attaches a payment method to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachMethod {
    pub customer: String,
    pub method: String,
}

/// Detaches a payment method. A detached card cannot be attached again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetachMethod {
    pub method: String,
}

/// Sets a customer's default payment method for invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreferMethod {
    pub customer: String,
    pub method: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindMethod {
    pub method: String,
}

/// Lists the payment methods of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMethods {
    pub customer: String,
    pub limit: u8,
    pub after: Option<String>,
}

/// What is stored of an attached or detached payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct AttachedMethod {
    pub id: String,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripePaymentMethod {
    pub id: String,
    /// Such as `card`.
    #[serde(rename = "type")]
    pub kind: String,
    pub customer: Option<String>,
    /// In seconds since 1970.
    pub created: i64,
    pub card: Option<StripeCard>,
    us_bank_account: Option<StripeBankAccount>,
    sepa_debit: Option<StripeBankAccount>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeCard {
    pub brand: String,
    pub last4: String,
    pub exp_month: u8,
    pub exp_year: u16,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
struct StripeBankAccount {
    last4: Option<String>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripePaymentMethods {
    pub data: Vec<StripePaymentMethod>,
    pub has_more: bool,
}

impl StripePaymentMethod {
    /// The last digits of the card or bank account, by which its owner recognises it.
    #[must_use]
    pub fn last4(&self) -> Option<&str> {
        let bank = self.us_bank_account.as_ref().or(self.sepa_debit.as_ref());
        let card = self.card.as_ref().map(|card| card.last4.as_str());
        card.or_else(|| bank?.last4.as_deref())
    }
}

impl StripeCall for AttachMethod {
    type Answer = AttachedMethod;

    fn request(&self) -> impl StripeRequest + Send {
        AttachPaymentMethod::new(self.method.as_str()).customer(self.customer.as_str())
    }
}

impl Change for AttachMethod {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for DetachMethod {
    type Answer = AttachedMethod;

    fn request(&self) -> impl StripeRequest + Send {
        DetachPaymentMethod::new(self.method.as_str())
    }
}

impl Change for DetachMethod {
    fn begins_charge(&self) -> bool {
        false
    }
}

impl StripeCall for PreferMethod {
    type Answer = CreatedCustomer;

    fn request(&self) -> impl StripeRequest + Send {
        let mut settings = UpdateCustomerInvoiceSettings::new();
        settings.default_payment_method = Some(self.method.clone());
        UpdateCustomer::new(self.customer.as_str()).invoice_settings(settings)
    }
}

impl StripeCall for FindMethod {
    type Answer = StripePaymentMethod;

    fn request(&self) -> impl StripeRequest + Send {
        RetrievePaymentMethod::new(self.method.as_str())
    }
}

impl StripeCall for ListMethods {
    type Answer = StripePaymentMethods;

    fn request(&self) -> impl StripeRequest + Send {
        let list = ListPaymentMethodsCustomer::new(self.customer.as_str()).limit(self.limit);
        match &self.after {
            Some(after) => list.starting_after(after.as_str()),
            None => list,
        }
    }
}
