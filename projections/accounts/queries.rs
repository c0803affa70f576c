//! How is a page of the list of accounts read?
//!
//! For every filter there is an index in the order of the page, so that only the rows of the page are read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool, types::Json};

use crate::domain::{
    ids::{AccountId, PlanId},
    recorded::Shard,
    time::Timestamp,
};

/// The longest page.
pub const ACCOUNTS_MAX: i64 = 1_000;

/// Whether the account is open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedStatus {
    Open,
    Closed,
}

impl ListedStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    pub status: Option<ListedStatus>,
    pub plan: Option<PlanId>,
    /// A name in the account's metadata, and the text under it.
    pub attached: Option<(String, String)>,
    pub among: Among,
}

/// Which accounts are listed.
#[derive(Clone, Debug, Default)]
pub enum Among {
    #[default]
    All,
    /// Accounts whose ids have this prefix, sorted by id. The filter does not apply to them.
    Beginning(String),
    Named(Vec<AccountId>),
}

/// The last account of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCursor {
    pub opened_at: Timestamp,
    pub account_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub standing: Standing,
    pub about: About,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Standing {
    pub account_id: String,
    shard: i16,
    pub opened_at: DateTime<Utc>,
    /// `open` or `closed`.
    pub status: String,
    /// The plan of the newest subscription that gives access, else the free one.
    pub plan: String,
    pub subscription: Option<String>,
    pub subscription_status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct About {
    pub customers: Vec<String>,
    pub metadata: Json<BTreeMap<String, String>>,
    pub last_event: Option<String>,
    pub last_event_at: Option<DateTime<Utc>>,
    pub last_sequence: Option<i64>,
    pub last_position: Option<i64>,
}

impl Standing {
    #[must_use]
    pub const fn shard(&self) -> Shard {
        Shard(self.shard)
    }
}

impl AccountRow {
    #[must_use]
    pub fn cursor(&self) -> AccountCursor {
        AccountCursor {
            opened_at: Timestamp::from(self.standing.opened_at),
            account_id: self.standing.account_id.clone(),
        }
    }
}

/// At most `limit` accounts, newest first.
///
/// # Errors
/// If the database does not answer.
pub async fn page(
    pool: &PgPool,
    filter: &AccountFilter,
    after: Option<&AccountCursor>,
    limit: i64,
) -> Result<Vec<AccountRow>, sqlx::Error> {
    let found = find(pool, filter, after, limit.clamp(1, ACCOUNTS_MAX)).await?;
    let about: Vec<About> = sqlx::query_as(include_str!("about.sql"))
        .bind(found.iter().map(|account| account.shard).collect::<Vec<_>>())
        .bind(found.iter().map(|account| account.account_id.as_str()).collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
    let rows = found.into_iter().zip(about);
    Ok(rows.map(|(standing, about)| AccountRow { standing, about }).collect())
}

/// A customer at the payment provider, and an account that it is linked to.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Linked {
    pub customer: String,
    pub account_id: String,
}

/// The accounts that these customers are linked to.
///
/// # Errors
/// If the database does not answer.
pub async fn of_customers(pool: &PgPool, customers: &[&str]) -> Result<Vec<Linked>, sqlx::Error> {
    sqlx::query_as(include_str!("of_customers.sql")).bind(customers).fetch_all(pool).await
}

async fn find(
    pool: &PgPool,
    filter: &AccountFilter,
    after: Option<&AccountCursor>,
    limit: i64,
) -> Result<Vec<Standing>, sqlx::Error> {
    let AccountFilter { status, plan, attached, among } = filter;
    let statuses: Vec<&str> = match status {
        Some(status) => vec![status.name()],
        None => vec![ListedStatus::Open.name(), ListedStatus::Closed.name()],
    };
    let opened = after.map_or_else(last_possible, |after| after.opened_at.to_utc());
    let account = after.map_or("", |after| after.account_id.as_str());
    let walk = |statement: &'static str| {
        sqlx::query_as(statement).bind(statuses.clone()).bind(opened).bind(account).bind(limit)
    };
    let plan = plan.as_ref().map(PlanId::as_str);
    let query = match (among, attached, plan) {
        (Among::Beginning(prefix), _, _) => {
            sqlx::query_as(include_str!("by_prefix.sql")).bind(prefix.as_str()).bind(account).bind(limit)
        }
        (Among::Named(accounts), _, _) => {
            let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
            sqlx::query_as(include_str!("named.sql"))
                .bind(ids)
                .bind(opened)
                .bind(account)
                .bind(limit)
                .bind(statuses)
                .bind(plan)
                .bind(attached.as_ref().map(|(name, _)| name.as_str()))
                .bind(attached.as_ref().map(|(_, text)| text.as_str()))
        }
        (Among::All, None, None) if status.is_none() => {
            sqlx::query_as(include_str!("all.sql")).bind(opened).bind(account).bind(limit)
        }
        (Among::All, None, None) => walk(include_str!("by_status.sql")),
        (Among::All, None, Some(plan)) => walk(include_str!("by_plan.sql")).bind(plan),
        (Among::All, Some((name, text)), None) => {
            walk(include_str!("by_metadata.sql")).bind(name.as_str()).bind(text.as_str())
        }
        (Among::All, Some((name, text)), Some(plan)) => {
            walk(include_str!("by_metadata_and_plan.sql")).bind(name.as_str()).bind(text.as_str()).bind(plan)
        }
    };
    query.fetch_all(pool).await
}

/// A time after every account, within the range of Postgres.
fn last_possible() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default()
}
