//! How are the rows of reports, movements and restatements written?

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{
        discounts::{DiscountReport, DiscountStep},
        ids::ProviderId,
        recorded::Shard,
        subscription::TermsChange,
        time::Timestamp,
    },
    projections::{
        projection::{ApplyError, Tables},
        rows::Rows,
    },
};

use super::{
    AccountChanges, History,
    movements::DayMovement,
    reports::{Discounted, PaidReport, PaymentState, ReportPlace, TimelineReport},
    sums::{MovementSums, restate},
};

#[derive(FromRow)]
struct MovementRow {
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

impl From<MovementRow> for TimelineReport {
    fn from(row: MovementRow) -> Self {
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
    let reports: Vec<MovementRow> = sqlx::query_as(&tables.statement(include_str!("reports.sql")))
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
    Ok(known)
}

pub(super) async fn write(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    reports(shard, changes).write(&tables.statement(include_str!("add_reports.sql")), connection).await?;
    payments(shard, changes).write(&tables.statement(include_str!("add_payments.sql")), connection).await?;
    discounts(shard, changes).write(&tables.statement(include_str!("add_discounts.sql")), connection).await?;
    replace_movements(shard, changes, tables, connection).await?;
    restatements(shard, changes)
        .write(&tables.statement(include_str!("add_restatements.sql")), connection)
        .await?;
    restate(shard, changes, tables, connection).await
}

/// Sums change by what is deleted and what is written, so they are always those of the rows.
async fn replace_movements(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let mut sums = MovementSums::default();
    // One by one: for a list of accounts, a database without statistics would go through all rows of the shard.
    let forget = tables.statement(include_str!("forget_movements.sql"));
    for change in changes {
        let Some(movements) = &change.movements else { continue };
        let forget = sqlx::query_as(&forget).bind(shard.0).bind(change.account.as_str());
        sums.forget(forget.fetch_all(&mut *connection).await?);
        sums.learn(movements);
    }
    movements(shard, changes).write(&tables.statement(include_str!("add_movements.sql")), connection).await?;
    sums.write(shard, tables, connection).await
}

fn reports(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(15);
    for change in changes {
        for report in &change.said.reports {
            rows.begin()
                .small(shard.0)
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
                .optional_text(report.stripe_event.as_deref())
                .optional_text(report.evidence.step.as_ref().and_then(|step| step.from.as_deref()))
                .optional_text(report.evidence.step.as_ref().map(|step| step.to.as_str()))
                .optional_text(report.undiscounted.as_ref().and_then(json).as_deref());
        }
    }
    rows
}

fn payments(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(7);
    for change in changes {
        for payment in &change.said.payments {
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(payment.sequence)
                .text(&payment.subscription)
                .text(payment.state.name())
                .time(payment.effective_at)
                .optional_text(payment.stripe_event.as_deref());
        }
    }
    rows
}

fn discounts(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(9);
    for change in changes {
        for Discounted { told, sequence, stripe_event } in &change.said.discounted {
            let (ended, off) = match &told.what {
                DiscountStep::Begun(off) => (false, off.as_ref().and_then(json)),
                DiscountStep::Ended => (true, None),
            };
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(*sequence)
                .text(told.customer.as_str())
                .text(told.discount.as_str())
                .boolean(ended)
                .optional_text(off.as_deref())
                .time(told.at)
                .optional_text(stripe_event.as_deref());
        }
    }
    rows
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn movements(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(11);
    for change in changes {
        let mut all = change.movements.iter().flatten().peekable();
        while let Some(((currency, day), movement)) = all.next() {
            let next = all.peek().filter(|((other, _), _)| other == currency);
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .text(currency)
                .day(*day)
                .text(movement.kind.name())
                .big(movement.before)
                .big(movement.after)
                .big(movement.sequence)
                .optional_text(movement.stripe_event.as_deref())
                .text(&movement.subscription)
                .optional_day(next.map(|((_, day), _)| *day));
        }
    }
    rows
}

fn restatements(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(11);
    for change in changes {
        for restatement in &change.restatements {
            let day: NaiveDate = restatement.day;
            rows.begin()
                .small(shard.0)
                .big(restatement.recorded.position.0)
                .text(change.account.as_str())
                .text(&restatement.currency)
                .day(day)
                .time(restatement.recorded.recorded_at)
                .optional_text(restatement.recorded.stripe_event());
            for movement in [&restatement.before, &restatement.after] {
                rows.optional_text(movement.as_ref().map(|movement| movement.kind.name()))
                    .big(movement.as_ref().map_or(0, DayMovement::change));
            }
        }
    }
    rows
}
