//! What do the tables have of accounts?

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{
        discounts::{DiscountReport, DiscountStep},
        ids::ProviderId,
        recorded::Shard,
        subscription::TermsChange,
        time::Timestamp,
    },
    projections::projection::Tables,
};

use super::{
    History,
    churn::{CancellationRequest, RevenueStanding},
    reports::{Discounted, PaidReport, PaymentState, ReportPlace, TimelineReport},
};

#[derive(FromRow)]
struct ReportRow {
    account_id: String,
    sequence: i64,
    subscription: String,
    currency: String,
    monthly: i64,
    ended: bool,
    reported_at: DateTime<Utc>,
    rank: i16,
    evidence_id: String,
    effective_at: DateTime<Utc>,
    stripe_event: Option<String>,
    step_from: Option<String>,
    step_to: Option<String>,
    undiscounted: Option<String>,
    standing: String,
    cancel_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct CancellationRow {
    account_id: String,
    sequence: i64,
    subscription: String,
    withdrawn: bool,
    effective_at: DateTime<Utc>,
}

impl From<CancellationRow> for CancellationRequest {
    fn from(row: CancellationRow) -> Self {
        Self {
            subscription: row.subscription,
            sequence: row.sequence,
            withdrawn: row.withdrawn,
            effective_at: Timestamp::from(row.effective_at),
        }
    }
}

#[derive(FromRow)]
struct DiscountRow {
    account_id: String,
    sequence: i64,
    customer: String,
    discount: String,
    ended: bool,
    off: Option<String>,
    effective_at: DateTime<Utc>,
    stripe_event: Option<String>,
}

impl DiscountRow {
    /// The row was written from ids and JSON, so it can be parsed.
    fn read(self) -> Option<Discounted> {
        let off = self.off.and_then(|off| serde_json::from_str(&off).ok());
        let told = DiscountReport {
            customer: ProviderId::parse(&self.customer).ok()?,
            discount: ProviderId::parse(&self.discount).ok()?,
            what: if self.ended { DiscountStep::Ended } else { DiscountStep::Begun(off) },
            at: Timestamp::from(self.effective_at),
        };
        Some(Discounted { told, sequence: self.sequence, stripe_event: self.stripe_event })
    }
}

#[derive(FromRow)]
struct MrrPaymentRow {
    account_id: String,
    sequence: i64,
    subscription: String,
    state: String,
    effective_at: DateTime<Utc>,
    stripe_event: Option<String>,
}

impl From<MrrPaymentRow> for PaidReport {
    fn from(row: MrrPaymentRow) -> Self {
        Self {
            subscription: row.subscription,
            sequence: row.sequence,
            // The table contains no other names.
            state: PaymentState::parse(&row.state).unwrap_or(PaymentState::Yes),
            effective_at: Timestamp::from(row.effective_at),
            stripe_event: row.stripe_event,
        }
    }
}

impl From<ReportRow> for TimelineReport {
    fn from(row: ReportRow) -> Self {
        Self {
            subscription: row.subscription,
            sequence: row.sequence,
            currency: row.currency,
            monthly: row.monthly,
            undiscounted: row.undiscounted.and_then(|json| serde_json::from_str(&json).ok()),
            effective_at: Timestamp::from(row.effective_at),
            evidence: ReportPlace {
                ended: row.ended,
                reported_at: Timestamp::from(row.reported_at),
                rank: u8::try_from(row.rank).unwrap_or(u8::MAX),
                id: row.evidence_id,
                step: row.step_to.map(|to| TermsChange { from: row.step_from, to }),
            },
            // The table contains no other names.
            standing: RevenueStanding::parse(&row.standing).unwrap_or(RevenueStanding::Active),
            cancel_at: row.cancel_at.map(Timestamp::from),
            stripe_event: row.stripe_event,
        }
    }
}

/// All that the tables have of these accounts of a shard.
pub(super) async fn known(
    shard: Shard,
    accounts: &[&str],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, History>, sqlx::Error> {
    let reports: Vec<ReportRow> = sqlx::query_as(&tables.statement(include_str!("reports.sql")))
        .bind(shard.0)
        .bind(accounts)
        .fetch_all(&mut *connection)
        .await?;
    let payments: Vec<MrrPaymentRow> = sqlx::query_as(&tables.statement(include_str!("payments.sql")))
        .bind(shard.0)
        .bind(accounts)
        .fetch_all(&mut *connection)
        .await?;
    let discounts: Vec<DiscountRow> = sqlx::query_as(&tables.statement(include_str!("discounts.sql")))
        .bind(shard.0)
        .bind(accounts)
        .fetch_all(&mut *connection)
        .await?;
    let requests: Vec<CancellationRow> = sqlx::query_as(&tables.statement(include_str!("requests.sql")))
        .bind(shard.0)
        .bind(accounts)
        .fetch_all(connection)
        .await?;
    let mut known: BTreeMap<String, History> = BTreeMap::new();
    for row in reports {
        known.entry(row.account_id.clone()).or_default().reports.push(row.into());
    }
    for row in payments {
        known.entry(row.account_id.clone()).or_default().payments.push(row.into());
    }
    for row in discounts {
        known.entry(row.account_id.clone()).or_default().discounted.extend(row.read());
    }
    for row in requests {
        known.entry(row.account_id.clone()).or_default().requests.push(row.into());
    }
    Ok(known)
}
