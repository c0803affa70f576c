//! How are payments and refunds of all accounts listed, page by page?

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use crate::domain::{ids::AccountId, time::Timestamp};

/// The longest page.
pub const PAYMENTS_MAX: i64 = 1_000;
pub const KINDS: [&str; 2] = ["subscription", "pack"];

/// Something that was paid, or a refund, as it was seen last: the next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentCursor {
    pub at: Timestamp,
    pub account_id: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PaymentRow {
    pub account_id: String,
    /// An invoice, or a payment of its own.
    pub paid: String,
    pub kind: String,
    pub paid_at: DateTime<Utc>,
    pub minor: i64,
    pub currency: String,
    pub subscription: Option<String>,
    pub plan: Option<String>,
    pub pack: Option<String>,
    pub quantity: Option<i64>,
    /// The payments that are known to have paid an invoice.
    pub payments: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RefundRow {
    pub account_id: String,
    pub refund: String,
    pub payment: String,
    pub refunded_at: DateTime<Utc>,
    pub minor: i64,
    pub currency: String,
    pub failed: bool,
}

/// What a payment of an account was for, as far as the ledger was told. Of an invoice's payment, the invoice says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct ReportedPaymentRow {
    pub payment: String,
    pub invoice: Option<String>,
    /// `None`: it was not told, or it was for nothing that is sold here.
    pub kind: Option<String>,
    pub subscription: Option<String>,
    pub plan: Option<String>,
    pub pack: Option<String>,
    pub quantity: Option<i64>,
}

/// What these payments of an account were for.
///
/// # Errors
/// When the database cannot answer.
pub async fn told(
    pool: &PgPool,
    account: &AccountId,
    payments: &[&str],
) -> Result<Vec<ReportedPaymentRow>, sqlx::Error> {
    sqlx::query_as(include_str!("told.sql")).bind(account.as_str()).bind(payments).fetch_all(pool).await
}

/// What was paid, the newest first, of these kinds.
///
/// # Errors
/// When the database cannot answer.
pub async fn payments(
    pool: &PgPool,
    kinds: &[&str],
    after: Option<&PaymentCursor>,
    limit: i64,
) -> Result<Vec<PaymentRow>, sqlx::Error> {
    let (at, account, id) = place(after);
    sqlx::query_as(include_str!("payments.sql"))
        .bind(kinds)
        .bind(at)
        .bind(account)
        .bind(id)
        .bind(limit.clamp(1, PAYMENTS_MAX))
        .fetch_all(pool)
        .await
}

/// What went back, the newest first.
///
/// # Errors
/// When the database cannot answer.
pub async fn refunds(
    pool: &PgPool,
    after: Option<&PaymentCursor>,
    limit: i64,
) -> Result<Vec<RefundRow>, sqlx::Error> {
    let (at, account, id) = place(after);
    sqlx::query_as(include_str!("refunds.sql"))
        .bind(at)
        .bind(account)
        .bind(id)
        .bind(limit.clamp(1, PAYMENTS_MAX))
        .fetch_all(pool)
        .await
}

/// After everything that there can be, where there was no page before.
fn place(after: Option<&PaymentCursor>) -> (DateTime<Utc>, &str, &str) {
    let last = || DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default();
    after.map_or_else(|| (last(), "", ""), |after| (after.at.to_utc(), &after.account_id, &after.id))
}
