//! Whose event is it?
//!
//! What we told Stripe when we made the object (`client_reference_id`, `metadata.account_id`) names the
//! account at once. Otherwise the customer leads to it, as soon as any event has linked the two. Metadata of
//! invoice lines is deliberately not used: it is copied about by Stripe, and can name whoever had the
//! subscription item before.

use crate::{
    domain::names::{AccountId, ProviderId},
    stripe::document::Document,
};

/// How the account of an event is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The event names the account. If it names a customer too, then the two belong together.
    Account { account: AccountId, customer: Option<ProviderId> },
    /// The account that this customer is linked to, once that is known.
    Customer(ProviderId),
    /// The account that this payment or invoice bought credits for, once that is known.
    Payment(ProviderId),
}

/// Where an account's id can be, the surest place first.
const ACCOUNT_AT: [&str; 5] = [
    "client_reference_id",
    "metadata.account_id",
    "parent.subscription_details.metadata.account_id",
    "subscription_details.metadata.account_id",
    // Where the customer was expanded.
    "customer.metadata.account_id",
];

impl Owner {
    pub(in crate::stripe) fn of(object: Document<'_>) -> Option<Self> {
        // Money that goes back is about what was bought, whoever else the object names.
        if let Some(payment) = payment(object) {
            return Some(Self::Payment(payment));
        }
        // Metadata is text that people can edit: what cannot be an account's id names no account.
        let named = ACCOUNT_AT.iter().find_map(|path| AccountId::parse(object.text(path)?).ok());
        let customer = customer(object);
        match (named, customer) {
            (Some(account), customer) => Some(Self::Account { account, customer }),
            (None, Some(customer)) => Some(Self::Customer(customer)),
            (None, None) => None,
        }
    }

    /// The customer that the event is about, if there is one.
    #[must_use]
    pub const fn customer(&self) -> Option<&ProviderId> {
        match self {
            Self::Account { customer, .. } => customer.as_ref(),
            Self::Customer(customer) => Some(customer),
            Self::Payment(_) => None,
        }
    }

    /// The payment that leads to the account.
    #[must_use]
    pub const fn payment(&self) -> Option<&ProviderId> {
        match self {
            Self::Payment(payment) => Some(payment),
            Self::Account { .. } | Self::Customer(_) => None,
        }
    }

    /// The customer that the event shows to belong to the account that it names.
    #[must_use]
    pub const fn link(&self) -> Option<&ProviderId> {
        match self {
            Self::Account { customer, .. } => customer.as_ref(),
            Self::Customer(_) | Self::Payment(_) => None,
        }
    }
}

/// The payment or invoice that an object is about, for those that only lead to their account by it.
fn payment(object: Document<'_>) -> Option<ProviderId> {
    match object.text("object")? {
        "charge" => object.id("payment_intent").or_else(|| object.id_of()),
        "refund" | "dispute" => object.first_id(&["payment_intent", "charge"]),
        "invoice_payment" | "credit_note" => object.id("invoice"),
        _ => None,
    }
}

/// The subscription that an object is about, or is. A checkout is about who bought, whoever has it later.
pub(super) fn subscription(object: Document<'_>) -> Option<ProviderId> {
    match object.text("object")? {
        "subscription" => object.id_of(),
        "invoice" => object.first_id(&["parent.subscription_details.subscription", "subscription"]),
        _ => None,
    }
}

/// The customer that an object belongs to, or is.
pub fn customer(object: Document<'_>) -> Option<ProviderId> {
    if object.text("object") == Some("customer") { object.id_of() } else { object.id("customer") }
}
