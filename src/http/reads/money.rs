//! What was paid and refunded, over all accounts? For people who manage them.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        amount::{Currency, Money},
        ids::{AccountId, ProviderId},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        request::{All, Bills, Query},
        schema::{Id, MoneySchema, Place, Time},
    },
    projections::payments::{self, KINDS, PaymentCursor, PaymentRow, RefundRow},
};

use super::{as_of, page::PageSize, wait};

const MODEL: &str = "payments";

/// What a payment was for.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    Subscription,
    Pack,
}

impl PaymentKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Pack => "pack",
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllPaymentsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only payments for this.
    #[param(inline)]
    r#type: Option<PaymentKind>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<MoneyCursor>,
    /// How many; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllRefundsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<MoneyCursor>,
    /// How many; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

/// The last item of the page before: its time in microseconds, its account and its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct MoneyCursor(PaymentCursor);

impl TryFrom<String> for MoneyCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let parse = |text: &str| {
            let mut parts = text.splitn(3, '~');
            let at = Timestamp::from_micros(parts.next()?.parse().ok()?)?;
            let account_id = AccountId::parse(parts.next()?).ok()?.as_str().to_owned();
            let id = ProviderId::parse(parts.next()?).ok()?.as_str().to_owned();
            Some(PaymentCursor { at, account_id, id })
        };
        parse(&text).map(Self).ok_or("it is not a `next_cursor` of an earlier page")
    }
}

fn after(at: Timestamp, account: &str, id: &str) -> String {
    format!("{}~{account}~{id}", at.micros())
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AllPaymentsResponse<'a> {
    payments: Vec<ListedPaymentResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A payment, as it was reported to the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedPaymentResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    /// `subscription` or `pack`. Payments for something else are not recorded, and are only in the account's own list.
    r#type: &'a str,
    /// `null`: the payment of the invoice is not known.
    #[schema(value_type = Option<Id>)]
    payment: Option<&'a str>,
    /// The invoice, for a subscription.
    #[schema(value_type = Option<Id>)]
    invoice: Option<&'a str>,
    #[schema(value_type = Option<MoneySchema>)]
    amount: Option<Money>,
    #[schema(value_type = Time)]
    paid_at: Timestamp,
    #[schema(value_type = Option<Id>)]
    subscription: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a str>,
    #[schema(value_type = Option<Id>)]
    pack: Option<&'a str>,
    /// How many packs.
    quantity: Option<i64>,
}

impl<'a> From<&'a PaymentRow> for ListedPaymentResponse<'a> {
    fn from(row: &'a PaymentRow) -> Self {
        let is_invoice = row.kind == PaymentKind::Subscription.name();
        let own = (!is_invoice).then_some(row.paid.as_str());
        Self {
            account: &row.account_id,
            r#type: &row.kind,
            payment: own.or_else(|| row.payments.first().map(String::as_str)),
            invoice: is_invoice.then_some(row.paid.as_str()),
            amount: money(row.minor, &row.currency),
            paid_at: row.paid_at.into(),
            subscription: row.subscription.as_deref(),
            plan: row.plan.as_deref(),
            pack: row.pack.as_deref(),
            quantity: row.quantity,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AllRefundsResponse<'a> {
    refunds: Vec<ListedRefundResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A refund, as it was reported to the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedRefundResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    #[schema(value_type = Id)]
    refund: &'a str,
    #[schema(value_type = Id)]
    payment: &'a str,
    #[schema(value_type = Option<MoneySchema>)]
    amount: Option<Money>,
    #[schema(value_type = Time)]
    refunded_at: Timestamp,
    /// Whether the money did not reach the customer and was returned to the business.
    failed: bool,
}

impl<'a> From<&'a RefundRow> for ListedRefundResponse<'a> {
    fn from(row: &'a RefundRow) -> Self {
        Self {
            account: &row.account_id,
            refund: &row.refund,
            payment: &row.payment,
            amount: money(row.minor, &row.currency),
            refunded_at: row.refunded_at.into(),
            failed: row.failed,
        }
    }
}

fn money(minor: i64, currency: &str) -> Option<Money> {
    Currency::parse(currency).ok().map(|currency| Money { minor, currency })
}

/// List payments of all accounts
///
/// Those that succeeded and were reported to the ledger, the newest first.
#[utoipa::path(
    get, path = "/v1/payments", operation_id = "list_all_payments", tag = "Reports", params(AllPaymentsQuery),
    responses(
        (status = 200, description = "A page of payments.", body = AllPaymentsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn payments(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<AllPaymentsQuery>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, None, asked.min_position).await?;
    let kinds = asked.r#type.map_or_else(|| KINDS.to_vec(), |kind| vec![kind.name()]);
    let last = asked.cursor.map(|MoneyCursor(last)| last);
    let rows = payments::payments(&state.pool, &kinds, last.as_ref(), asked.limit.rows()).await?;
    let full = rows.len() == asked.limit.get();
    let next = rows.last().filter(|_| full);
    let document = AllPaymentsResponse {
        payments: rows.iter().map(ListedPaymentResponse::from).collect(),
        next_cursor: next.map(|row| after(row.paid_at.into(), &row.account_id, &row.paid)),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

/// List refunds of all accounts
///
/// The newest first, as they were reported to the ledger.
/// Amounts put on a customer's balance are not included, and neither are refunds that were only reported as a total of
/// their payment; the payment has the refunded total.
#[utoipa::path(
    get, path = "/v1/refunds", operation_id = "list_all_refunds", tag = "Reports", params(AllRefundsQuery),
    responses(
        (status = 200, description = "A page of refunds.", body = AllRefundsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn refunds(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<AllRefundsQuery>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, None, asked.min_position).await?;
    let last = asked.cursor.map(|MoneyCursor(last)| last);
    let rows = payments::refunds(&state.pool, last.as_ref(), asked.limit.rows()).await?;
    let full = rows.len() == asked.limit.get();
    let next = rows.last().filter(|_| full);
    let document = AllRefundsResponse {
        refunds: rows.iter().map(ListedRefundResponse::from).collect(),
        next_cursor: next.map(|row| after(row.refunded_at.into(), &row.account_id, &row.refund)),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
