//! How are invoices of a customer listed?

use stripe_billing::invoice::ListInvoice;
use stripe_client_core::StripeRequest;
use stripe_shared::InvoiceStatus;

use super::super::StripeCall;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListInvoices {
    pub customer: String,
    pub status: Option<BillStatus>,
    pub limit: u8,
    pub after: Option<String>,
}

/// The status of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InvoiceStatus)]
pub enum BillStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

/// An invoice, as Stripe has it. Amounts are in minor units, times in seconds since 1970.
#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeInvoice {
    pub id: String,
    pub number: Option<String>,
    pub status: Option<String>,
    pub currency: String,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    pub amount_remaining: i64,
    pub billing_reason: Option<String>,
    pub created: i64,
    pub due_date: Option<i64>,
    /// `None` before the invoice is finalized; so is the next one.
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    parent: Option<Parent>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
struct Parent {
    subscription_details: Option<OfSubscription>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
struct OfSubscription {
    subscription: Option<String>,
}

#[derive(Clone, PartialEq, Eq, miniserde::Deserialize)]
pub struct StripeInvoices {
    pub data: Vec<StripeInvoice>,
    pub has_more: bool,
}

impl StripeInvoice {
    #[must_use]
    pub fn subscription(&self) -> Option<&str> {
        self.parent.as_ref()?.subscription_details.as_ref()?.subscription.as_deref()
    }
}

impl StripeCall for ListInvoices {
    type Answer = StripeInvoices;

    fn request(&self) -> impl StripeRequest + Send {
        let mut list = ListInvoice::new().customer(self.customer.as_str()).limit(self.limit);
        if let Some(status) = self.status {
            list = list.status(match status {
                BillStatus::Draft => InvoiceStatus::Draft,
                BillStatus::Open => InvoiceStatus::Open,
                BillStatus::Paid => InvoiceStatus::Paid,
                BillStatus::Uncollectible => InvoiceStatus::Uncollectible,
                BillStatus::Void => InvoiceStatus::Void,
            });
        }
        if let Some(after) = &self.after {
            list = list.starting_after(after.as_str());
        }
        list
    }
}
