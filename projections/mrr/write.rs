//! The rows of reports, movements and restatements.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::time::Timestamp,
    projections::{
        projection::{ApplyError, Tables},
        rows::Rows,
    },
};

use super::{
    AccountChanges,
    timeline::{Evidence, Movement, Report},
};

#[derive(FromRow)]
struct Row {
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
}

impl From<Row> for Report {
    fn from(row: Row) -> Self {
        Self {
            subscription: row.subscription,
            sequence: row.sequence,
            currency: row.currency,
            monthly: row.monthly,
            effective_at: Timestamp::from(row.effective_at),
            evidence: Evidence {
                ended: row.ended,
                reported_at: Timestamp::from(row.reported_at),
                rank: u8::try_from(row.rank).unwrap_or(u8::MAX),
                id: row.evidence_id,
            },
            stripe_event: row.stripe_event,
        }
    }
}

/// All reports on the accounts that are in the table.
pub(super) async fn known_reports(
    accounts: &[&str],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, Vec<Report>>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(&tables.statement(include_str!("reports.sql")))
        .bind(accounts)
        .fetch_all(connection)
        .await?;
    let mut known: BTreeMap<String, Vec<Report>> = BTreeMap::new();
    for row in rows {
        known.entry(row.account_id.clone()).or_default().push(row.into());
    }
    Ok(known)
}

pub(super) async fn write(
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let accounts: Vec<&str> = changes.iter().map(|change| change.account.as_str()).collect();
    reports(changes).write(&tables.statement(include_str!("add_reports.sql")), connection).await?;
    sqlx::query(&tables.statement(include_str!("forget_movements.sql")))
        .bind(accounts)
        .execute(&mut *connection)
        .await?;
    movements(changes).write(&tables.statement(include_str!("add_movements.sql")), connection).await?;
    restatements(changes).write(&tables.statement(include_str!("add_restatements.sql")), connection).await?;
    Ok(())
}

fn reports(changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(11);
    for change in changes {
        for report in &change.reports {
            rows.begin()
                .text(change.account.as_str())
                .big(report.sequence)
                .text(&report.subscription)
                .text(&report.currency)
                .big(report.monthly)
                .boolean(report.evidence.ended)
                .time(report.evidence.reported_at)
                .small(i16::from(report.evidence.rank))
                .text(&report.evidence.id)
                .time(report.effective_at)
                .optional_text(report.stripe_event.as_deref());
        }
    }
    rows
}

fn movements(changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(9);
    for change in changes {
        for ((currency, day), movement) in &change.movements {
            rows.begin()
                .text(change.account.as_str())
                .text(currency)
                .day(*day)
                .text(movement.kind.name())
                .big(movement.before)
                .big(movement.after)
                .big(movement.sequence)
                .optional_text(movement.stripe_event.as_deref())
                .text(&movement.subscription);
        }
    }
    rows
}

fn restatements(changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(10);
    for change in changes {
        for restatement in &change.restatements {
            let day: NaiveDate = restatement.day;
            rows.begin()
                .big(restatement.fact.position)
                .text(change.account.as_str())
                .text(&restatement.currency)
                .day(day)
                .time(restatement.fact.recorded_at)
                .optional_text(restatement.fact.stripe_event);
            for movement in [&restatement.before, &restatement.after] {
                rows.optional_text(movement.as_ref().map(|movement| movement.kind.name()))
                    .big(movement.as_ref().map_or(0, Movement::change));
            }
        }
    }
    rows
}
