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

pub use checkout::{
    CheckoutPurchase, ExpireCheckout, FindCheckout, OpenCheckout, OpenedCheckout, StripeCheckout,
};
pub use customer::{
    Address, AdoptCustomer, CreatedCustomer, CustomerDetails, DeleteCustomer, DescribeCustomer, FindCustomer,
    FindCustomers, FoundCustomer, FoundCustomers, MakeCustomer, StripeCustomer,
};
pub use invoice::{BillStatus, ListInvoices, StripeInvoice, StripeInvoices};
pub use listings::{AskPage, ListFilter, ObjectPage, TYPES_MAX, plain};
pub use object::AskObject;
pub use payment::{
    CancelPayment, CapturePayment, ConfirmPayment, FindPayment, ListPayments, MakePayment, MakeRefund,
    NextAction, PaidFor, PaymentFailure, PaymentMetadata, Reason, StoredPayment, StripeCharge, StripePayment,
    StripePayments, StripeRefund,
};
pub use payment_method::{
    AttachMethod, AttachedMethod, DetachMethod, FindMethod, ListMethods, PreferMethod, StripePaymentMethod,
    StripePaymentMethods,
};
pub use portal::{OpenPortal, OpenedPortal, PortalChange, PortalOnly};
pub use preview::PreviewInvoice;
pub use product::{FindProduct, PriceRequest, ProductRequest, StripeProduct};
pub use schedule::{
    FindSchedule, OpenSchedule, PhaseItemRequest, PhaseRequest, PhaseSpan, Phases, ReleaseSchedule,
    StripeSchedule,
};
pub use subscribe::{ListSubscriptions, MakeSubscription, SubscriptionListed, SubscriptionsListed};
pub use subscription::{
    AmendSubscription, Amendment, ChargeSubscription, DescribeCancellation, FindSubscription,
    ProrationBehavior, StripeSubscription, StripeSubscriptionItem, StripeSubscriptionItems,
    SubscriptionItemChange,
};

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
