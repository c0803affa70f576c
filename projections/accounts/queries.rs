//! How is a page of the list of accounts read?
//!
//! For every filter there is an index in the order of the page, so that only the rows of the page are read.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, Utc};
use sqlx::{
    FromRow, PgPool, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
    types::Json,
};

use crate::{
    domain::{
        ids::{AccountId, PlanId},
        recorded::Shard,
        time::Timestamp,
    },
    projections::shards::by_shard,
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
    /// These, with their shards.
    Named(Vec<(Shard, AccountId)>),
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

#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct About {
    account_id: String,
    pub customers: Vec<String>,
    pub metadata: Json<BTreeMap<String, String>>,
    #[sqlx(skip)]
    pub last: Option<LastRecorded>,
}

/// The last event of an account.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LastRecorded {
    account_id: String,
    pub event_type: String,
    pub recorded_at: DateTime<Utc>,
    pub sequence: i64,
    pub position: i64,
}

/// An account of a page, before its row was read.
#[derive(FromRow)]
struct Attached {
    shard: i16,
    account_id: String,
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
    let limit = limit.clamp(1, ACCOUNTS_MAX);
    let found = match &filter.among {
        Among::All => all(pool, filter, after, limit).await?,
        Among::Beginning(prefix) => {
            let account = after.map_or("", |after| after.account_id.as_str());
            let page = sqlx::query_as(include_str!("by_prefix.sql")).bind(prefix).bind(account).bind(limit);
            page.fetch_all(pool).await?
        }
        Among::Named(accounts) => {
            let accounts = by_shard(accounts, |(shard, _)| *shard);
            let ids =
                |of: Vec<&'_ (Shard, AccountId)>| of.into_iter().map(|(_, id)| id.to_string()).collect();
            let accounts = accounts.into_iter().map(|(shard, of)| (shard, ids(of))).collect();
            named(pool, filter, after, limit, accounts).await?
        }
    };
    let mut about = about(pool, &found).await?;
    let row = |standing: Standing| {
        let about = about.remove(&standing.account_id).unwrap_or_default();
        AccountRow { standing, about }
    };
    Ok(found.into_iter().map(row).collect())
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

/// What each statement that scans an index begins with.
#[derive(Clone, Copy)]
struct Walk<'a> {
    status: &'static str,
    opened: DateTime<Utc>,
    account: &'a str,
    limit: i64,
}

impl<'a> Walk<'a> {
    fn query<Row>(self, statement: &'static str) -> QueryAs<'a, Postgres, Row, PgArguments>
    where
        Row: for<'r> FromRow<'r, PgRow>,
    {
        let Self { status, opened, account, limit } = self;
        sqlx::query_as(statement).bind(status).bind(opened).bind(account).bind(limit)
    }
}

/// A page of all accounts that match the filter.
async fn all(
    pool: &PgPool,
    filter: &AccountFilter,
    after: Option<&AccountCursor>,
    limit: i64,
) -> Result<Vec<Standing>, sqlx::Error> {
    let (opened, account) = place(after);
    let AccountFilter { status, plan, attached, among: _ } = filter;
    let plan = plan.as_ref().map(PlanId::as_str);
    if (status, plan, attached) == (&None, None, &None) {
        let page = sqlx::query_as(include_str!("all.sql")).bind(opened).bind(account).bind(limit);
        return page.fetch_all(pool).await;
    }
    let (mut found, mut keys): (Vec<Standing>, Vec<Attached>) = (Vec::new(), Vec::new());
    // An index is scanned once for each status.
    for status in statuses(filter) {
        let walk = Walk { status, opened, account, limit };
        match (attached, plan) {
            (None, None) => found.extend(walk.query(include_str!("by_status.sql")).fetch_all(pool).await?),
            (None, Some(plan)) => {
                let page = walk.query(include_str!("by_plan.sql")).bind(plan);
                found.extend(page.fetch_all(pool).await?);
            }
            (Some((name, text)), None) => {
                let page = walk.query(include_str!("by_metadata.sql")).bind(name).bind(text);
                keys.extend(page.fetch_all(pool).await?);
            }
            (Some((name, text)), Some(plan)) => {
                let page = walk.query(include_str!("by_metadata_and_plan.sql")).bind(name).bind(text);
                keys.extend(page.bind(plan).fetch_all(pool).await?);
            }
        }
    }
    if attached.is_none() {
        return Ok(newest(found, limit));
    }
    let mut accounts: BTreeMap<Shard, Vec<String>> = BTreeMap::new();
    for key in keys {
        accounts.entry(Shard(key.shard)).or_default().push(key.account_id);
    }
    named(pool, filter, after, limit, accounts).await
}

/// A page of those of these accounts that match the filter.
async fn named(
    pool: &PgPool,
    filter: &AccountFilter,
    after: Option<&AccountCursor>,
    limit: i64,
    accounts: BTreeMap<Shard, Vec<String>>,
) -> Result<Vec<Standing>, sqlx::Error> {
    let (opened, account) = place(after);
    let mut found = Vec::new();
    for (shard, ids) in accounts {
        let of_shard = sqlx::query_as(include_str!("named.sql"))
            .bind(shard.0)
            .bind(ids)
            .bind(opened)
            .bind(account)
            .bind(limit)
            .bind(statuses(filter))
            .bind(filter.plan.as_ref().map(PlanId::as_str))
            .bind(filter.attached.as_ref().map(|(name, _)| name.as_str()))
            .bind(filter.attached.as_ref().map(|(_, text)| text.as_str()));
        found.extend(of_shard.fetch_all(pool).await?);
    }
    Ok(newest(found, limit))
}

/// What else is shown of the accounts of a page, by account.
async fn about(pool: &PgPool, page: &[Standing]) -> Result<BTreeMap<String, About>, sqlx::Error> {
    let mut about: BTreeMap<String, About> = BTreeMap::new();
    for (shard, accounts) in by_shard(page, Standing::shard) {
        let ids: Vec<&str> = accounts.iter().map(|account| account.account_id.as_str()).collect();
        let of_shard: Vec<About> =
            sqlx::query_as(include_str!("about.sql")).bind(shard.0).bind(&ids).fetch_all(pool).await?;
        about.extend(of_shard.into_iter().map(|about| (about.account_id.clone(), about)));
        let last: Vec<LastRecorded> =
            sqlx::query_as(include_str!("last_events.sql")).bind(shard.0).bind(&ids).fetch_all(pool).await?;
        for last in last {
            if let Some(about) = about.get_mut(&last.account_id) {
                about.last = Some(last);
            }
        }
    }
    Ok(about)
}

/// The statuses that the filter leaves. An account that is closed between two reads is in the second, or in both.
fn statuses(filter: &AccountFilter) -> Vec<&'static str> {
    let all = || vec![ListedStatus::Open.name(), ListedStatus::Closed.name()];
    filter.status.map_or_else(all, |status| vec![status.name()])
}

/// The newest of what was found, each once.
fn newest(mut found: Vec<Standing>, limit: i64) -> Vec<Standing> {
    found.sort_by_cached_key(|account| Reverse((account.opened_at, account.account_id.clone())));
    found.dedup_by(|one, other| one.account_id == other.account_id);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    found
}

/// The place after which a page begins: for the first page, one after every account.
fn place(after: Option<&AccountCursor>) -> (DateTime<Utc>, &str) {
    let last = || DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default();
    after.map_or_else(|| (last(), ""), |after| (after.opened_at.to_utc(), &after.account_id))
}
