//! How are objects at Stripe listed? Page by page, each object complete.
//!
//! The objects are not read with `async-stripe`'s types, but passed on to `translate`, which reads every version.
//! So all lists are requested in one form, which the generated requests do not share.

use miniserde::json::{Number, Value as Parsed};
use serde::Serialize;
use serde_json::Value;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::super::StripeCall;
use crate::domain::time::Timestamp;

/// The most types of events in one request.
pub const TYPES_MAX: usize = 20;
/// How many objects a page has.
const PAGE_OBJECTS: u8 = 100;

/// Which objects are listed. Times are the earliest time of creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFilter {
    /// At most [`TYPES_MAX`] types. Stripe keeps events for thirty days.
    Events {
        types: Vec<&'static str>,
        since: Timestamp,
    },
    /// In every status, including ended ones.
    Subscriptions,
    PaidInvoices {
        since: Timestamp,
    },
    /// Invoices in a status other than paid, such as `void`.
    UnpaidInvoices {
        status: &'static str,
        since: Timestamp,
    },
    /// Which payments paid which invoices.
    InvoicePayments {
        since: Timestamp,
    },
    CompletedCheckouts {
        since: Timestamp,
    },
    Payments {
        since: Timestamp,
    },
    Refunds {
        since: Timestamp,
    },
    /// Including voided ones.
    CreditNotes {
        since: Timestamp,
    },
    Disputes,
    /// Without deleted ones.
    Customers {
        since: Timestamp,
    },
    /// The charges of a payment.
    ChargesOf {
        payment: String,
    },
    /// All lines of an invoice.
    Lines {
        invoice: String,
    },
    /// The payments of an invoice.
    PaymentsOf {
        invoice: String,
    },
    /// All items of a checkout session.
    Items {
        session: String,
    },
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPage {
    pub objects: Vec<Value>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<String>,
}

/// A page of `listing`, after one object.
#[derive(Clone, Debug)]
pub struct AskPage<'a> {
    pub listing: &'a ListFilter,
    pub after: Option<&'a str>,
}

#[derive(miniserde::Deserialize)]
pub struct ListedObject {
    data: Vec<Parsed>,
    has_more: bool,
}

#[derive(Default, Serialize)]
struct ListQuery<'a> {
    limit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<CreatedSince>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    types: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    expand: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_intent: Option<&'a str>,
}

/// In seconds since 1970.
#[derive(Serialize)]
struct CreatedSince {
    gte: i64,
}

impl ListFilter {
    fn path(&self) -> String {
        match self {
            Self::Events { .. } => "/events".to_owned(),
            Self::Subscriptions => "/subscriptions".to_owned(),
            Self::PaidInvoices { .. } | Self::UnpaidInvoices { .. } => "/invoices".to_owned(),
            Self::InvoicePayments { .. } | Self::PaymentsOf { .. } => "/invoice_payments".to_owned(),
            Self::CompletedCheckouts { .. } => "/checkout/sessions".to_owned(),
            Self::Payments { .. } => "/payment_intents".to_owned(),
            Self::Refunds { .. } => "/refunds".to_owned(),
            Self::CreditNotes { .. } => "/credit_notes".to_owned(),
            Self::Disputes => "/disputes".to_owned(),
            Self::Customers { .. } => "/customers".to_owned(),
            Self::ChargesOf { .. } => "/charges".to_owned(),
            Self::Lines { invoice } => format!("/invoices/{invoice}/lines"),
            Self::Items { session } => format!("/checkout/sessions/{session}/line_items"),
        }
    }

    const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Events { since, .. }
            | Self::PaidInvoices { since }
            | Self::UnpaidInvoices { since, .. }
            | Self::Customers { since }
            | Self::InvoicePayments { since }
            | Self::CompletedCheckouts { since }
            | Self::Payments { since }
            | Self::Refunds { since }
            | Self::CreditNotes { since } => Some(*since),
            Self::Subscriptions
            | Self::Disputes
            | Self::ChargesOf { .. }
            | Self::Lines { .. }
            | Self::Items { .. }
            | Self::PaymentsOf { .. } => None,
        }
    }

    const fn status(&self) -> Option<&'static str> {
        match self {
            Self::Subscriptions => Some("all"),
            Self::PaidInvoices { .. } | Self::InvoicePayments { .. } => Some("paid"),
            Self::UnpaidInvoices { status, .. } => Some(status),
            Self::CompletedCheckouts { .. } => Some("complete"),
            Self::Events { .. }
            | Self::Payments { .. }
            | Self::Refunds { .. }
            | Self::CreditNotes { .. }
            | Self::Disputes
            | Self::Customers { .. }
            | Self::ChargesOf { .. }
            | Self::Lines { .. }
            | Self::PaymentsOf { .. }
            | Self::Items { .. } => None,
        }
    }

    /// The charge says when a payment succeeded, which may be long after the payment was made.
    const fn expand(&self) -> &'static [&'static str] {
        match self {
            Self::CompletedCheckouts { .. } => &["data.payment_intent.latest_charge"],
            Self::Payments { .. } => &["data.latest_charge"],
            Self::Events { .. }
            | Self::Subscriptions
            | Self::PaidInvoices { .. }
            | Self::UnpaidInvoices { .. }
            | Self::InvoicePayments { .. }
            | Self::Refunds { .. }
            | Self::CreditNotes { .. }
            | Self::Disputes
            | Self::Customers { .. }
            | Self::ChargesOf { .. }
            | Self::Lines { .. }
            | Self::PaymentsOf { .. }
            | Self::Items { .. } => &[],
        }
    }
}

impl StripeCall for AskPage<'_> {
    type Answer = ListedObject;

    fn request(&self) -> impl StripeRequest + Send {
        self.clone()
    }
}

impl StripeRequest for AskPage<'_> {
    type Output = ListedObject;

    fn build(&self) -> RequestBuilder {
        let types = if let ListFilter::Events { types, .. } = self.listing { types.as_slice() } else { &[] };
        RequestBuilder::new(StripeMethod::Get, self.listing.path()).query(&ListQuery {
            limit: PAGE_OBJECTS,
            starting_after: self.after,
            created: self.listing.since().map(|since| CreatedSince { gte: since.seconds() }),
            types,
            status: self.listing.status(),
            expand: self.listing.expand(),
            invoice: if let ListFilter::PaymentsOf { invoice } = self.listing { Some(invoice) } else { None },
            payment_intent: if let ListFilter::ChargesOf { payment } = self.listing {
                Some(payment)
            } else {
                None
            },
        })
    }
}

impl From<ListedObject> for ObjectPage {
    fn from(listed: ListedObject) -> Self {
        let objects: Vec<Value> = listed.data.into_iter().map(plain).collect();
        let last = objects.last().and_then(|last| last.get("id")).and_then(Value::as_str);
        let next = last.filter(|_| listed.has_more).map(str::to_owned);
        Self { objects, next }
    }
}

/// The same document as a `serde_json` value.
#[must_use]
pub fn plain(parsed: Parsed) -> Value {
    match parsed {
        Parsed::Null => Value::Null,
        Parsed::Bool(value) => Value::Bool(value),
        Parsed::Number(Number::U64(number)) => Value::from(number),
        Parsed::Number(Number::I64(number)) => Value::from(number),
        Parsed::Number(Number::F64(number)) => Value::from(number),
        Parsed::String(text) => Value::String(text),
        Parsed::Array(members) => members.into_iter().map(plain).collect(),
        Parsed::Object(fields) => fields.into_iter().map(|(name, value)| (name, plain(value))).collect(),
    }
}
