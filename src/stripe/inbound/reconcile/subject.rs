//! What is compared with the ledger?
//! These kinds of Stripe's objects, each with the events that should have reported it.

use serde::Serialize;
use strum::IntoStaticStr;

use crate::{
    domain::{
        amount::{Currency, Money},
        ids::ProviderId,
        time::Timestamp,
    },
    stripe::{
        client::{AskObject, ListFilter},
        documents::Document,
    },
};

/// The statuses of invoices that are not paid, and may never be. A draft does not ask for anything yet.
const UNPAID: [&str; 3] = ["open", "uncollectible", "void"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Subject {
    Customer,
    Subscription,
    PaidInvoice,
    UnpaidInvoice,
    InvoicePayment,
    Checkout,
    Payment,
    Refund,
    CreditNote,
    Dispute,
}

impl Subject {
    /// In the order in which one kind may depend on another: a refund is found by what was paid.
    pub const ALL: [Self; 10] = [
        Self::Customer,
        Self::Subscription,
        Self::PaidInvoice,
        Self::UnpaidInvoice,
        Self::InvoicePayment,
        Self::Checkout,
        Self::Payment,
        Self::Refund,
        Self::CreditNote,
        Self::Dispute,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Subscriptions and disputes change long after they were made, so all of them are read.
    pub(super) fn listings(self, since: Timestamp) -> Vec<ListFilter> {
        match self {
            Self::Customer => vec![ListFilter::Customers { since }],
            Self::Subscription => vec![ListFilter::Subscriptions],
            Self::PaidInvoice => vec![ListFilter::PaidInvoices { since }],
            Self::UnpaidInvoice => {
                UNPAID.map(|status| ListFilter::UnpaidInvoices { status, since }).into_iter().collect()
            }
            Self::InvoicePayment => vec![ListFilter::InvoicePayments { since }],
            Self::Checkout => vec![ListFilter::CompletedCheckouts { since }],
            Self::Payment => vec![ListFilter::Payments { since }],
            Self::Refund => vec![ListFilter::Refunds { since }],
            Self::CreditNote => vec![ListFilter::CreditNotes { since }],
            Self::Dispute => vec![ListFilter::Disputes],
        }
    }

    /// The path of one object. `None`: this kind has no object with such an id.
    pub(super) fn place(self, id: &ProviderId) -> Option<AskObject<'static>> {
        let (kinds, prefixes, expand): (_, &[&str], &[&str]) = match self {
            Self::Customer => ("customers", &["cus_"], &[]),
            Self::Subscription => ("subscriptions", &["sub_"], &[]),
            Self::PaidInvoice | Self::UnpaidInvoice => ("invoices", &["in_"], &[]),
            Self::InvoicePayment => ("invoice_payments", &["inpay_"], &[]),
            Self::Checkout => ("checkout/sessions", &["cs_"], &["payment_intent.latest_charge"]),
            Self::Payment if id.as_str().starts_with("pi_") => {
                ("payment_intents", &["pi_"], &["latest_charge"])
            }
            Self::Payment => ("charges", &["ch_", "py_"], &[]),
            Self::Refund => ("refunds", &["re_", "pyr_"], &[]),
            Self::CreditNote => ("credit_notes", &["cn_"], &[]),
            Self::Dispute => ("disputes", &["dp_", "du_"], &[]),
        };
        let is_plain = id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_of_kind = prefixes.iter().any(|prefix| id.as_str().starts_with(prefix));
        (is_plain && is_of_kind).then(|| AskObject { path: format!("/{kinds}/{id}"), expand })
    }

    /// The types of events that report such an object.
    pub(super) const fn told_by(self) -> &'static [&'static str] {
        match self {
            Self::Customer => &["customer.created", "customer.updated", "customer.deleted"],
            Self::Subscription => &[
                "customer.subscription.created",
                "customer.subscription.updated",
                "customer.subscription.deleted",
                "customer.subscription.paused",
                "customer.subscription.resumed",
            ],
            Self::PaidInvoice => &["invoice.paid", "invoice.payment_succeeded"],
            Self::UnpaidInvoice => &[
                "invoice.finalized",
                "invoice.payment_failed",
                "invoice.marked_uncollectible",
                "invoice.voided",
                "invoice.paid",
                "invoice.payment_succeeded",
            ],
            Self::InvoicePayment => &["invoice_payment.paid"],
            Self::Checkout => &[
                "checkout.session.completed",
                "checkout.session.async_payment_succeeded",
                "checkout.session.expired",
            ],
            Self::Payment => &["payment_intent.succeeded"],
            Self::Refund => &["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"],
            Self::CreditNote => &["credit_note.created", "credit_note.updated", "credit_note.voided"],
            Self::Dispute => &[
                "charge.dispute.created",
                "charge.dispute.updated",
                "charge.dispute.funds_withdrawn",
                "charge.dispute.funds_reinstated",
                "charge.dispute.closed",
            ],
        }
    }

    /// The type of the event that would report the object as it is now.
    pub(super) fn event_type(self, object: Document<'_>) -> &'static str {
        let status = object.text("status");
        match self {
            Self::Customer if object.is_true("deleted") => "customer.deleted",
            Self::Customer => "customer.updated",
            Self::Subscription if status == Some("canceled") => "customer.subscription.deleted",
            Self::Subscription => "customer.subscription.updated",
            Self::PaidInvoice => "invoice.paid",
            Self::UnpaidInvoice if status == Some("void") => "invoice.voided",
            Self::UnpaidInvoice if status == Some("uncollectible") => "invoice.marked_uncollectible",
            Self::UnpaidInvoice => "invoice.finalized",
            Self::InvoicePayment => "invoice_payment.paid",
            Self::Checkout if status == Some("expired") => "checkout.session.expired",
            Self::Checkout => "checkout.session.completed",
            Self::Payment if status == Some("succeeded") => "payment_intent.succeeded",
            Self::Payment if status == Some("canceled") => "payment_intent.canceled",
            Self::Payment => "payment_intent.created",
            Self::Refund if status == Some("failed") => "refund.failed",
            Self::Refund => "refund.created",
            Self::CreditNote if status == Some("void") => "credit_note.voided",
            Self::CreditNote => "credit_note.created",
            Self::Dispute if is_open(status) => "charge.dispute.created",
            Self::Dispute => "charge.dispute.closed",
        }
    }

    /// The payment or invoice that leads to the object's account if no command does.
    pub(super) fn bought(self, object: Document<'_>) -> Option<ProviderId> {
        match self {
            Self::PaidInvoice | Self::UnpaidInvoice | Self::Payment => object.id_of(),
            Self::InvoicePayment => object.first_id(&["payment.payment_intent", "payment.charge"]),
            Self::CreditNote => object.id("invoice"),
            Self::Dispute => object.first_id(&["payment_intent", "charge"]),
            Self::Checkout => object.first_id(&["invoice", "payment_intent"]),
            Self::Customer | Self::Subscription | Self::Refund => None,
        }
    }

    /// How much was paid, if no command says so.
    pub(super) fn paid(self, object: Document<'_>) -> Option<Money> {
        let minor = match self {
            Self::PaidInvoice if object.is_true("paid_out_of_band") => object.integer("amount_due"),
            Self::PaidInvoice | Self::InvoicePayment => object.integer("amount_paid"),
            Self::Payment => object.integer("amount_received"),
            Self::Customer
            | Self::Subscription
            | Self::UnpaidInvoice
            | Self::Checkout
            | Self::Refund
            | Self::CreditNote
            | Self::Dispute => None,
        }?;
        Some(Money { minor, currency: Currency::parse(object.text("currency")?).ok()? })
    }

    /// When the event would have been made, as far as the object says. Otherwise when the object was read.
    pub(super) fn told_at(self, object: Document<'_>, read_at: Timestamp) -> Timestamp {
        let status = object.text("status");
        let times: &[&str] = match self {
            Self::PaidInvoice | Self::InvoicePayment => &["status_transitions.paid_at", "created"],
            Self::UnpaidInvoice if status == Some("void") => &["status_transitions.voided_at"],
            Self::UnpaidInvoice if status == Some("uncollectible") => {
                &["status_transitions.marked_uncollectible_at"]
            }
            Self::UnpaidInvoice => &["status_transitions.finalized_at", "created"],
            Self::Checkout if status == Some("expired") => &["expires_at"],
            Self::Checkout => &["payment_intent.latest_charge.created", "created"],
            Self::Payment => &["latest_charge.created", "created"],
            Self::Refund if !matches!(status, Some("failed" | "canceled")) => &["created"],
            Self::CreditNote if status == Some("void") => &["voided_at"],
            Self::CreditNote => &["created"],
            Self::Dispute if is_open(status) => &["created"],
            Self::Customer | Self::Subscription | Self::Refund | Self::Dispute => &[],
        };
        let told_at = times.iter().find_map(|path| object.time(path));
        // To the second, like Stripe's times.
        told_at.or_else(|| Timestamp::from_seconds(read_at.seconds())).unwrap_or(read_at)
    }
}

fn is_open(status: Option<&str>) -> bool {
    matches!(
        status,
        Some("needs_response" | "under_review" | "warning_needs_response" | "warning_under_review")
    )
}
