//! How are payments and refunds of all accounts listed, page by page?

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use crate::{
    domain::{ids::AccountId, recorded::Shard, time::Timestamp},
    projections::shards::by_shard,
};

/// The longest page.
pub const PAYMENTS_MAX: i64 = 1_000;
pub const KINDS: [&str; 2] = ["subscription", "pack"];

/// The last payment or refund of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentCursor {
    pub at: Timestamp,
    pub account_id: String,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PaymentRow {
    shard: i16,
    pub account_id: String,
    /// An invoice, or a payment without one.
    pub paid: String,
    pub kind: String,
    pub paid_at: DateTime<Utc>,
    pub minor: i64,
    pub currency: String,
    pub subscription: Option<String>,
    pub plan: Option<String>,
    pub pack: Option<String>,
    pub quantity: Option<i64>,
    /// The payments that are known to have paid the invoice.
    #[sqlx(skip)]
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

/// What a payment of an account was for, as it was reported.
/// For an invoice's payment, that is what the invoice was for.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct ReportedPaymentRow {
    pub payment: String,
    pub invoice: Option<String>,
    /// `None`: it was not reported, or the catalog does not sell it.
    pub kind: Option<String>,
    pub subscription: Option<String>,
    pub plan: Option<String>,
    pub pack: Option<String>,
    pub quantity: Option<i64>,
}

/// What these payments of an account were for.
///
/// # Errors
/// If the database does not answer.
pub async fn told(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    payments: &[&str],
) -> Result<Vec<ReportedPaymentRow>, sqlx::Error> {
    let told = sqlx::query_as(include_str!("told.sql")).bind(shard.0).bind(account.as_str()).bind(payments);
    told.fetch_all(pool).await
}

/// Payments of these kinds, newest first.
///
/// # Errors
/// If the database does not answer.
pub async fn payments(
    pool: &PgPool,
    kinds: &[&str],
    after: Option<&PaymentCursor>,
    limit: i64,
) -> Result<Vec<PaymentRow>, sqlx::Error> {
    let (at, account, id) = place(after);
    let limit = limit.clamp(1, PAYMENTS_MAX);
    let mut found: Vec<PaymentRow> = Vec::new();
    // The index is scanned once for each kind, so that only the rows of a page are read.
    for kind in kinds {
        let of_kind = sqlx::query_as(include_str!("payments.sql")).bind(kind).bind(at).bind(account).bind(id);
        found.extend(of_kind.bind(limit).fetch_all(pool).await?);
    }
    found.sort_by_cached_key(|row| Reverse((row.paid_at, row.account_id.clone(), row.paid.clone())));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut links = links(pool, &found).await?;
    for row in &mut found {
        row.payments = links.remove(&(row.account_id.clone(), row.paid.clone())).unwrap_or_default();
    }
    Ok(found)
}

/// The payments that are known to have paid each invoice, by account and invoice.
async fn links(
    pool: &PgPool,
    paid: &[PaymentRow],
) -> Result<BTreeMap<(String, String), Vec<String>>, sqlx::Error> {
    let mut links: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (shard, paid) in by_shard(paid, |row| Shard(row.shard)) {
        let of_shard: Vec<(String, String, String)> = sqlx::query_as(include_str!("links.sql"))
            .bind(shard.0)
            .bind(paid.iter().map(|row| row.account_id.as_str()).collect::<Vec<_>>())
            .bind(paid.iter().map(|row| row.paid.as_str()).collect::<Vec<_>>())
            .fetch_all(pool)
            .await?;
        for (account, invoice, payment) in of_shard {
            links.entry((account, invoice)).or_default().push(payment);
        }
    }
    Ok(links)
}

/// Refunds, newest first.
///
/// # Errors
/// If the database does not answer.
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

/// The place after which a page begins: for the first page, one after everything.
fn place(after: Option<&PaymentCursor>) -> (DateTime<Utc>, &str, &str) {
    let last = || DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default();
    after.map_or_else(|| (last(), "", ""), |after| (after.at.to_utc(), &after.account_id, &after.id))
}
