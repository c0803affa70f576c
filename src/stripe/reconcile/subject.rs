//! What is compared with the ledger? The kinds of Stripe's objects, each with the events that should have told of it.

use serde::Serialize;

use crate::{
    domain::time::Timestamp,
    stripe::{client::Listing, document::Document},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Subscription,
    PaidInvoice,
    InvoicePayment,
    Checkout,
    Payment,
    Refund,
    Dispute,
}

impl Subject {
    /// In the order in which one may rest on another: what goes back is found by what was paid.
    pub const ALL: [Self; 7] = [
        Self::Subscription,
        Self::PaidInvoice,
        Self::InvoicePayment,
        Self::Checkout,
        Self::Payment,
        Self::Refund,
        Self::Dispute,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::PaidInvoice => "paid_invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::Checkout => "checkout",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }

    /// Subscriptions and disputes change long after they were made, so all of them are read.
    pub(super) const fn listing(self, since: Timestamp) -> Listing {
        match self {
            Self::Subscription => Listing::Subscriptions,
            Self::PaidInvoice => Listing::PaidInvoices { since },
            Self::InvoicePayment => Listing::InvoicePayments { since },
            Self::Checkout => Listing::CompletedCheckouts { since },
            Self::Payment => Listing::Payments { since },
            Self::Refund => Listing::Refunds { since },
            Self::Dispute => Listing::Disputes,
        }
    }

    /// The types of events that tell of such an object.
    pub(super) const fn told_by(self) -> &'static [&'static str] {
        match self {
            Self::Subscription => &[
                "customer.subscription.created",
                "customer.subscription.updated",
                "customer.subscription.deleted",
                "customer.subscription.paused",
                "customer.subscription.resumed",
            ],
            Self::PaidInvoice => &["invoice.paid", "invoice.payment_succeeded"],
            Self::InvoicePayment => &["invoice_payment.paid"],
            Self::Checkout => &["checkout.session.completed", "checkout.session.async_payment_succeeded"],
            Self::Payment => &["payment_intent.succeeded"],
            Self::Refund => &["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"],
            Self::Dispute => &[
                "charge.dispute.created",
                "charge.dispute.updated",
                "charge.dispute.funds_withdrawn",
                "charge.dispute.funds_reinstated",
                "charge.dispute.closed",
            ],
        }
    }

    /// The type of the event that would have told of the object as it is now; `None` for one that says nothing yet.
    pub(super) fn event_type(self, object: Document<'_>) -> Option<&'static str> {
        let status = object.text("status");
        Some(match self {
            Self::Subscription if status == Some("canceled") => "customer.subscription.deleted",
            Self::Subscription => "customer.subscription.updated",
            Self::PaidInvoice => "invoice.paid",
            Self::InvoicePayment => "invoice_payment.paid",
            Self::Checkout => "checkout.session.completed",
            Self::Payment if status == Some("succeeded") => "payment_intent.succeeded",
            Self::Payment => return None,
            Self::Refund if status == Some("failed") => "refund.failed",
            Self::Refund => "refund.created",
            Self::Dispute if is_open(status) => "charge.dispute.created",
            Self::Dispute => "charge.dispute.closed",
        })
    }

    /// When the event would have been made, as far as the object says. What does not say so is as it is now.
    pub(super) fn told_at(self, object: Document<'_>, read_at: Timestamp) -> Timestamp {
        let status = object.text("status");
        let times: &[&str] = match self {
            Self::PaidInvoice | Self::InvoicePayment => &["status_transitions.paid_at", "created"],
            Self::Checkout => &["payment_intent.latest_charge.created", "created"],
            Self::Payment => &["latest_charge.created", "created"],
            Self::Refund if !matches!(status, Some("failed" | "canceled")) => &["created"],
            Self::Dispute if is_open(status) => &["created"],
            Self::Subscription | Self::Refund | Self::Dispute => &[],
        };
        let told_at = times.iter().find_map(|path| object.time(path));
        // To the second, as Stripe writes it.
        told_at.or_else(|| Timestamp::from_seconds(read_at.seconds())).unwrap_or(read_at)
    }
}

fn is_open(status: Option<&str>) -> bool {
    matches!(
        status,
        Some("needs_response" | "under_review" | "warning_needs_response" | "warning_under_review")
    )
}
