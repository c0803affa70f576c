//! Which account does an event belong to?
//!
//! Metadata (`account_id`) names the account: the program wrote it when it made the object, or somebody with the secret
//! key of the Stripe account did.
//! Otherwise, the customer leads to it, as soon as any event has linked the two.
//! Metadata of invoice lines is deliberately not used: Stripe copies it, so that it can name the account that had the
//! subscription item before.
//!
//! `client_reference_id` is not a proof, since buyers can write it into the URL of a payment link or a pricing table.
//! It says for which account something was paid, which does no harm, but not whose a customer or a subscription is.

use crate::{
    domain::ids::{AccountId, ProviderId},
    stripe::documents::Document,
};

/// How the account of an event is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerLookup {
    /// The event names the account. If it names a customer, too, the two are linked.
    Account { account: AccountId, customer: Option<ProviderId> },
    /// The account that this customer is linked to, once that is known.
    Customer(ProviderId),
    /// The account that this payment or invoice bought credits for, once that is known.
    Payment(ProviderId),
}

/// Where an account's id can be that no buyer can write, the most reliable place first.
const ACCOUNT_AT: [&str; 4] = [
    "metadata.account_id",
    "parent.subscription_details.metadata.account_id",
    "subscription_details.metadata.account_id",
    // If the customer was expanded.
    "customer.metadata.account_id",
];

impl OwnerLookup {
    pub(in crate::stripe) fn of(object: Document<'_>) -> Option<Self> {
        // Returned money belongs to what was bought, whoever else the object names.
        if let Some(payment) = payment(object) {
            return Some(Self::Payment(payment));
        }
        // People can edit metadata: a text that cannot be an account's id is ignored.
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

/// The account that a buyer named, of a session in which a single purchase was paid.
/// Unpaid sessions do not count for an account that anybody can name, and a subscription belongs to its customer's
/// account.
fn paid_for(object: Document<'_>) -> Option<AccountId> {
    let is_session = object.text("object") == Some("checkout.session");
    let is_paid = matches!(object.text("payment_status"), Some("paid" | "no_payment_required"));
    let is_gift = is_session && is_paid && object.text("mode") == Some("payment");
    AccountId::parse(object.text("client_reference_id").filter(|_| is_gift)?).ok()
}

/// The payment or invoice of an object, for objects that lead to their account only in this way.
fn payment(object: Document<'_>) -> Option<ProviderId> {
    match object.text("object")? {
        "charge" => object.id("payment_intent").or_else(|| object.id_of()),
        "refund" | "dispute" => object.first_id(&["payment_intent", "charge"]),
        "invoice_payment" | "credit_note" => object.id("invoice"),
        _ => None,
    }
}

/// The subscription that an object is, or is about.
/// A checkout belongs to its buyer, whoever has the subscription later.
pub(super) fn subscription(object: Document<'_>) -> Option<ProviderId> {
    match object.text("object")? {
        "subscription" => object.id_of(),
        "invoice" => object.first_id(&["parent.subscription_details.subscription", "subscription"]),
        _ => None,
    }
}

/// The customer that an object is, or belongs to.
pub fn customer(object: Document<'_>) -> Option<ProviderId> {
    if object.text("object") == Some("customer") { object.id_of() } else { object.id("customer") }
}
