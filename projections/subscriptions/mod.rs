//! Which subscriptions does an account have, and how did they change?
//!
//! Each report has the whole subscription and may come late, so the newest one holds, as in
//! `crate::domain::subscription`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{FromRow, PgConnection, PgPool, types::Json};

use crate::domain::{
    event::{Event, NoticeEvent},
    ids::{AccountId, PlanId, ProviderId},
    recorded::{RecordedEvent, Shard},
    requested::Requested,
    subscription::{StoredReport, SubscriptionState, SubscriptionStatus, TermsChange, in_order},
    time::Timestamp,
};

use super::projection::{ApplyError, Projection, Tables};

pub struct SubscriptionsProjection;

impl Projection for SubscriptionsProjection {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["subscription_reports", "subscription_requests", "subscriptions"]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for recorded in events {
                if let Event::Notice(NoticeEvent::SubscriptionChangeRequested {
                    subscription,
                    requested,
                    ..
                }) = &recorded.event
                {
                    request(recorded, subscription, requested, tables, connection).await?;
                }
                if let Some(terms) = recorded.event.reported() {
                    let holds = holds(recorded, terms, tables, connection).await?;
                    report(recorded, terms, !holds, tables, connection).await?;
                    if holds {
                        hold(recorded, terms, tables, connection).await?;
                    }
                }
            }
            Ok(())
        }
        .boxed()
    }
}

/// Whether a report is newer than all that were recorded before.
///
/// One statement for each report: they are rare, and whether one is late depends on those before.
async fn holds(
    recorded: &RecordedEvent,
    terms: &SubscriptionState,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let newest: Vec<Json<SubscriptionState>> =
        sqlx::query_scalar(&tables.statement(include_str!("newest.sql")))
            .bind(recorded.shard.0)
            .bind(recorded.account.as_str())
            .bind(terms.subscription.as_str())
            .fetch_all(connection)
            .await?;
    let told = in_order(newest.iter().map(|known| &known.0).chain([terms]).collect());
    Ok(told.last().is_some_and(|last| std::ptr::eq(*last, terms)))
}

async fn report(
    recorded: &RecordedEvent,
    terms: &SubscriptionState,
    late: bool,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("report.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(terms.subscription.as_str())
        .bind(recorded.sequence)
        .bind(recorded.position.0)
        .bind(recorded.event.name())
        .bind(recorded.event.effective_at().to_utc())
        .bind(recorded.recorded_at.to_utc())
        .bind(terms.ended_at.is_some())
        .bind(terms.evidence.reported_at.to_utc())
        .bind(i16::from(terms.evidence.rank))
        .bind(terms.evidence.id.as_str())
        .bind(late)
        .bind(recorded.stripe_event())
        .bind(Json(terms))
        .execute(connection)
        .await?;
    Ok(())
}

async fn request(
    recorded: &RecordedEvent,
    subscription: &ProviderId,
    requested: &Requested,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("request.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(recorded.sequence)
        .bind(recorded.position.0)
        .bind(subscription.as_str())
        .bind(Json(requested))
        .bind(recorded.event.effective_at().to_utc())
        .bind(recorded.recorded_at.to_utc())
        .execute(connection)
        .await?;
    Ok(())
}

async fn hold(
    recorded: &RecordedEvent,
    terms: &SubscriptionState,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("hold.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(terms.subscription.as_str())
        .bind(terms.ended_at.is_some())
        .bind(terms.evidence.reported_at.to_utc())
        .bind(i16::from(terms.evidence.rank))
        .bind(terms.evidence.id.as_str())
        .bind(recorded.event.effective_at().to_utc())
        .bind(recorded.position.0)
        .bind(status_name(terms.status))
        .bind(terms.plan.as_str())
        .bind(Json(terms))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) const fn status_name(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Incomplete => "incomplete",
        SubscriptionStatus::Trialing => "trialing",
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::PastDue => "past_due",
        SubscriptionStatus::Unpaid => "unpaid",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Cancelled => "cancelled",
    }
}

/// A subscription, by its newest report.
#[derive(Clone, Debug, FromRow)]
pub struct Current {
    pub account_id: String,
    pub subscription: String,
    pub effective_at: DateTime<Utc>,
    pub position: i64,
    pub status: String,
    pub plan: String,
    pub terms: Json<SubscriptionState>,
}

/// A report, and the one before it.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    pub report: RecordedReport,
    pub before: Option<SubscriptionState>,
}

/// A report as it was recorded.
#[derive(Clone, Debug, FromRow)]
pub struct RecordedReport {
    pub subscription: String,
    pub sequence: i64,
    pub position: i64,
    /// The event's name.
    pub event: String,
    pub effective_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// Whether a newer report was recorded before this one.
    pub late: bool,
    pub stripe_event: Option<String>,
    pub terms: Json<SubscriptionState>,
    /// Who caused it.
    #[sqlx(skip)]
    pub actor: String,
}

/// A request over the API.
#[derive(Clone, Debug, FromRow)]
pub struct HistoryRequest {
    pub subscription: String,
    pub sequence: i64,
    pub position: i64,
    pub requested: Json<Requested>,
    pub requested_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// Who requested it.
    #[sqlx(skip)]
    pub actor: String,
}

impl StoredReport for RecordedReport {
    fn is_end(&self) -> bool {
        self.terms.is_end()
    }

    fn reported_at(&self) -> Timestamp {
        self.terms.reported_at()
    }

    fn rank(&self) -> u8 {
        self.terms.rank()
    }

    fn id(&self) -> &str {
        self.terms.id()
    }

    fn step(&self) -> Option<&TermsChange> {
        self.terms.step()
    }
}

/// The last subscription of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionCursor {
    pub account_id: String,
    pub subscription: String,
}

/// The longest page.
pub const SUBSCRIPTIONS_MAX: i64 = 1_000;

/// Subscriptions of all accounts, sorted by account.
///
/// # Errors
/// If the database does not answer.
pub async fn page(
    pool: &PgPool,
    plan: Option<&PlanId>,
    status: Option<SubscriptionStatus>,
    after: Option<&SubscriptionCursor>,
    limit: i64,
) -> Result<Vec<Current>, sqlx::Error> {
    let page = |statement| {
        sqlx::query_as(statement)
            .bind(after.map_or("", |after| after.account_id.as_str()))
            .bind(after.map_or("", |after| after.subscription.as_str()))
            .bind(limit.clamp(1, SUBSCRIPTIONS_MAX))
    };
    let page = match (plan, status) {
        (None, None) => page(include_str!("all.sql")),
        (None, Some(status)) => page(include_str!("by_status.sql")).bind(status_name(status)),
        (Some(plan), None) => page(include_str!("by_plan.sql")).bind(plan.as_str()),
        (Some(plan), Some(status)) => {
            page(include_str!("by_plan_and_status.sql")).bind(plan.as_str()).bind(status_name(status))
        }
    };
    page.fetch_all(pool).await
}

/// The reports on the account's subscriptions, or on one of them, in the order in which they were made.
///
/// # Errors
/// If the database does not answer.
pub async fn history(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    subscription: Option<&ProviderId>,
) -> Result<Vec<HistoryEntry>, sqlx::Error> {
    let recorded: Vec<RecordedReport> = sqlx::query_as(include_str!("history.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(subscription.map(ProviderId::as_str))
        .fetch_all(pool)
        .await?;
    let mut actors = actors(pool, shard, account, recorded.iter().map(|report| report.sequence)).await?;
    let mut of_each: BTreeMap<String, Vec<RecordedReport>> = BTreeMap::new();
    for mut report in recorded {
        report.actor = actors.remove(&report.sequence).unwrap_or_default();
        of_each.entry(report.subscription.clone()).or_default().push(report);
    }
    Ok(of_each.into_values().flat_map(changes).collect())
}

/// The requests for the account's subscriptions, or for one of them, in the order in which they were recorded.
///
/// # Errors
/// If the database does not answer.
pub async fn requests(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    subscription: Option<&ProviderId>,
) -> Result<Vec<HistoryRequest>, sqlx::Error> {
    let mut recorded: Vec<HistoryRequest> = sqlx::query_as(include_str!("requests.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(subscription.map(ProviderId::as_str))
        .fetch_all(pool)
        .await?;
    let mut actors = actors(pool, shard, account, recorded.iter().map(|request| request.sequence)).await?;
    for request in &mut recorded {
        request.actor = actors.remove(&request.sequence).unwrap_or_default();
    }
    Ok(recorded)
}

/// Who caused these events of the account, by their sequences.
async fn actors(
    pool: &PgPool,
    shard: Shard,
    account: &AccountId,
    sequences: impl Iterator<Item = i64>,
) -> Result<BTreeMap<i64, String>, sqlx::Error> {
    let found: Vec<(i64, String)> = sqlx::query_as(include_str!("actors.sql"))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(sequences.collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
    Ok(found.into_iter().collect())
}

fn changes(reports: Vec<RecordedReport>) -> Vec<HistoryEntry> {
    let ordered = in_order(reports).into_iter().scan(None, |before, report| {
        let before = before.replace(report.terms.0.clone());
        Some(HistoryEntry { report, before })
    });
    ordered.collect()
}
