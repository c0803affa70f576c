//! Which invoices does an account have, and where can a person read them? They have links to Stripe's pages.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        amount::{Currency, Money},
        ids::ProviderId,
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{AccountNotFound, AskingStripe},
        request::{AccountOf, Bills, Query},
        response::json,
        schema::{Id, MoneySchema, Time},
    },
    stripe::client::{BillStatus, StripeInvoice},
};

use super::page::ListLimit;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvoicesQuery {
    /// Only invoices in this status.
    status: Option<BillStatus>,
    /// At most this many; 20 if left out.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: ListLimit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<Id>)]
    cursor: Option<ProviderId>,
}

#[derive(Serialize, ToSchema)]
pub struct InvoicesResponse<'a> {
    invoices: Vec<InvoiceDocument<'a>>,
    #[schema(value_type = Option<Id>)]
    next_cursor: Option<&'a str>,
}

/// An invoice, as Stripe has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice, example = json!({
    "invoice": "in_1", "number": "ABCD-0001", "status": "paid", "total": { "minor": 1999, "currency": "usd" },
    "due": 1999, "paid": 1999, "remaining": 0, "reason": "subscription_cycle", "subscription": "sub_1",
    "created_at": "2025-06-01T00:00:00Z", "due_at": null,
    "hosted_invoice_url": "https://invoice.stripe.com/i/1", "invoice_pdf": "https://invoice.stripe.com/i/1/pdf",
}))]
pub struct InvoiceDocument<'a> {
    #[schema(value_type = Id)]
    invoice: &'a str,
    /// The number that is printed on it. A draft has none.
    number: Option<&'a str>,
    /// Stripe's status: `draft`, `open`, `paid`, `uncollectible` or `void`.
    status: Option<&'a str>,
    #[schema(value_type = MoneySchema)]
    total: Option<Money>,
    /// In minor units, as are the next two.
    due: i64,
    paid: i64,
    remaining: i64,
    /// Why it was made, in Stripe's words, such as `subscription_cycle`.
    reason: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    subscription: Option<&'a str>,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    due_at: Option<Timestamp>,
    /// A page on which a person can read it, and pay it if it is open. A draft has none.
    hosted_invoice_url: Option<&'a str>,
    invoice_pdf: Option<&'a str>,
}

impl<'a> From<&'a StripeInvoice> for InvoiceDocument<'a> {
    fn from(seen: &'a StripeInvoice) -> Self {
        let currency = Currency::parse(&seen.currency).ok();
        Self {
            invoice: &seen.id,
            number: seen.number.as_deref(),
            status: seen.status.as_deref(),
            total: currency.map(|currency| Money { minor: seen.total, currency }),
            due: seen.amount_due,
            paid: seen.amount_paid,
            remaining: seen.amount_remaining,
            reason: seen.billing_reason.as_deref(),
            subscription: seen.subscription(),
            created_at: Timestamp::from_seconds(seen.created),
            due_at: seen.due_date.and_then(Timestamp::from_seconds),
            hosted_invoice_url: seen.hosted_invoice_url.as_deref(),
            invoice_pdf: seen.invoice_pdf.as_deref(),
        }
    }
}

/// List invoices
///
/// The newest first, with links to Stripe's page and PDF of each.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/invoices", operation_id = "list_invoices", tag = "Payments",
    params(("account" = Id, Path), InvoicesQuery),
    responses(
        (status = 200, description = "Invoices.", body = InvoicesResponse),
        Problems<(AskingStripe, AccountNotFound)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Bills>,
    Query(asked): Query<InvoicesQuery>,
) -> Result<Response<Body>, Failure> {
    let page = asked.limit.page(asked.cursor);
    let listed = state.billing.list_invoices(&of.account, asked.status, page).await?;
    let last = listed.data.last().filter(|_| listed.has_more);
    json(&InvoicesResponse {
        invoices: listed.data.iter().map(InvoiceDocument::from).collect(),
        next_cursor: last.map(|invoice| invoice.id.as_str()),
    })
}
