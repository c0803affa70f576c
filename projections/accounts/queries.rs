//! A page of the list of accounts.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use crate::domain::{
    names::{AccountId, ProviderId},
    time::Timestamp,
};

/// The longest page.
pub const ACCOUNTS_MAX: i64 = 1_000;

#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    pub account: Option<AccountId>,
    /// How the account's id begins.
    pub prefix: Option<String>,
    /// A customer at the payment provider that is linked to it.
    pub customer: Option<ProviderId>,
}

/// Where the next page begins: after this account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCursor {
    pub opened_at: Timestamp,
    pub account_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AccountRow {
    pub account_id: String,
    pub opened_at: DateTime<Utc>,
    /// `open` or `closed`.
    pub status: String,
    /// The plan of the newest subscription that gives access, else the free one.
    pub plan: String,
    pub subscription_status: Option<String>,
    pub subscription: Option<String>,
    pub customers: Vec<String>,
    pub last_event: Option<String>,
    pub last_event_at: Option<DateTime<Utc>>,
    pub last_sequence: Option<i64>,
    pub last_position: Option<i64>,
}

impl AccountRow {
    #[must_use]
    pub fn cursor(&self) -> AccountCursor {
        AccountCursor { opened_at: Timestamp::from(self.opened_at), account_id: self.account_id.clone() }
    }
}

/// At most `limit` accounts, the one that was opened last first.
///
/// # Errors
/// When the database cannot answer.
pub async fn page(
    pool: &PgPool,
    filter: &AccountFilter,
    after: Option<&AccountCursor>,
    limit: i64,
) -> Result<Vec<AccountRow>, sqlx::Error> {
    sqlx::query_as(include_str!("page.sql"))
        .bind(filter.account.as_ref().map(AccountId::as_str))
        .bind(filter.prefix.as_deref())
        .bind(filter.customer.as_ref().map(ProviderId::as_str))
        .bind(after.map_or_else(last_possible, |after| after.opened_at.to_utc()))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(limit.clamp(1, ACCOUNTS_MAX))
        .fetch_all(pool)
        .await
}

/// After every account, and within what Postgres can keep.
fn last_possible() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default()
}
