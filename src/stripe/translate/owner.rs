//! Whose event is it?
//!
//! Metadata (`account_id`) names the account at once: we wrote it when we made the object, or whoever has the secret
//! key of the Stripe account did. Otherwise the customer leads to it, as soon as any event has linked the two. Metadata
//! of invoice lines is deliberately not used: it is copied about by Stripe, and can name whoever had the subscription
//! item before.
//!
//! `client_reference_id` is no proof: on a payment link or a pricing table whoever buys writes it into the address. It
//! says for whom something was paid, which harms nobody, and never whose a customer or a subscription is.

use crate::{
    domain::ids::{AccountId, ProviderId},
    stripe::documents::Document,
};

/// How the account of an event is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerLookup {
    /// The event names the account. If it names a customer too, then the two belong together.
    Account { account: AccountId, customer: Option<ProviderId> },
    /// The account that this customer is linked to, once that is known.
    Customer(ProviderId),
    /// The account that this payment or invoice bought credits for, once that is known.
    Payment(ProviderId),
}

/// Where an account's id can be that no buyer has written, the surest place first.
const ACCOUNT_AT: [&str; 4] = [
    "metadata.account_id",
    "parent.subscription_details.metadata.account_id",
    "subscription_details.metadata.account_id",
    // Where the customer was expanded.
    "customer.metadata.account_id",
];

impl OwnerLookup {
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
            (None, customer) => match paid_for(object) {
                Some(account) => Some(Self::Account { account, customer: None }),
                None => customer.map(Self::Customer),
            },
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

/// The account that a buyer named, of a session in which they have paid once and for all. What is not paid is not told
/// to an account that anybody can name, and a subscription is its customer's.
fn paid_for(object: Document<'_>) -> Option<AccountId> {
    let is_session = object.text("object") == Some("checkout.session");
    let is_paid = matches!(object.text("payment_status"), Some("paid" | "no_payment_required"));
    let is_gift = is_session && is_paid && object.text("mode") == Some("payment");
    AccountId::parse(object.text("client_reference_id").filter(|_| is_gift)?).ok()
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
