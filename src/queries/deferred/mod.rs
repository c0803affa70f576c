//! How much money was paid in advance and is not earned yet, what happened to it, and which accounts make up a figure?

mod lines;
mod of_account;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions, revenue::RevenueKind, time::Timestamp},
    projections::{
        FigureInterval,
        deferred::{self, DeferredCell, DeferredFlow, DeferredRow, RevenueFilter},
    },
};

pub use lines::{DEFERRED_COLUMNS, deferred_lines};
pub use of_account::{LotPage, PeriodPage, lots_of, periods_of};

use super::{Freshness, QueryError, ReportSource, revenue::RevenueSpan, snapshot};

/// The read model that has them.
pub const MODEL: &str = "deferred";

/// One interval, in one currency. `closing` is `opening` with what each of `flows` adds to it.
pub struct DeferredInterval {
    pub currency: String,
    /// The first day, and the first day after it.
    pub days: (NaiveDate, NaiveDate),
    /// In minor units.
    pub opening: i128,
    pub flows: Vec<DeferredFlow>,
    /// What was returned after it had been earned, which changes nothing of what is deferred.
    pub contra: Vec<DeferredFlow>,
    pub closing: i128,
}

pub struct DeferredReport {
    pub intervals: Vec<DeferredInterval>,
    /// When one of the days was last changed after it was over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// What happened to money that was paid in advance, by currency and interval.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn deferred_revenue(
    source: ReportSource<'_>,
    span: RevenueSpan,
    interval: FigureInterval,
    filter: RevenueFilter<'_>,
    min_position: Option<&JournalPositions>,
) -> Result<DeferredReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let (intervals, restated_since) = deferred_intervals(source.pool, span, interval, filter).await?;
    Ok(DeferredReport { intervals, restated_since, freshness })
}

/// The same, as the read model is, and when one of the days was last changed after it was over.
///
/// # Errors
/// If the database does not answer.
pub async fn deferred_intervals(
    pool: &PgPool,
    span: RevenueSpan,
    interval: FigureInterval,
    filter: RevenueFilter<'_>,
) -> Result<(Vec<DeferredInterval>, Option<Timestamp>), sqlx::Error> {
    let days = interval.of_days(span.from, span.until);
    // What is read must be of one moment: otherwise the flows would not lead from one stock to the next.
    let mut moment = snapshot(pool).await?;
    let stock = deferred::stock_before(&mut moment, span.from, filter).await?;
    let flows = deferred::flows(&mut moment, &days, filter).await?;
    let restated_since = deferred::restated_since(&mut moment, (span.from, span.until), filter).await?;
    moment.rollback().await?;
    let before: BTreeMap<String, i128> = stock
        .into_iter()
        .filter(|stock| stock.minor != 0)
        .map(|stock| (stock.currency, stock.minor))
        .collect();
    Ok((intervals(&days, &before, flows), restated_since))
}

/// The intervals of each currency that has anything in them or before them.
fn intervals(
    days: &[(NaiveDate, NaiveDate)],
    before: &BTreeMap<String, i128>,
    flows: Vec<DeferredFlow>,
) -> Vec<DeferredInterval> {
    let currencies: BTreeSet<String> =
        flows.iter().map(|flow| flow.currency.clone()).chain(before.keys().cloned()).collect();
    let mut flows = flows.into_iter().peekable();
    let mut intervals = Vec::new();
    for currency in currencies {
        let mut opening = before.get(&currency).copied().unwrap_or_default();
        for (place, days) in days.iter().copied().enumerate() {
            let mut own = Vec::new();
            while let Some(flow) = flows.next_if(|flow| flow.currency == currency && flow.place == place) {
                own.push(flow);
            }
            let (contra, own): (Vec<_>, Vec<_>) = own
                .into_iter()
                .filter(|flow| flow.minor != 0)
                .partition(|flow| flow.kind == RevenueKind::Contra);
            let closing = own.iter().fold(opening, |stock, flow| stock.saturating_add(flow.deferred()));
            let currency = currency.clone();
            intervals.push(DeferredInterval { currency, days, opening, flows: own, contra, closing });
            opening = closing;
        }
    }
    intervals
}

/// A page of the accounts that make up a figure.
pub struct DeferredRows {
    pub rows: Vec<DeferredRow>,
    /// The account after which the next page begins. `None`: this is the last page.
    pub next: Option<String>,
    pub freshness: Freshness,
}

/// The accounts that make up a figure, from the one after `after` on: what each adds to it.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn deferred_rows(
    source: ReportSource<'_>,
    cell: DeferredCell<'_>,
    (after, limit): (Option<&AccountId>, i64),
    min_position: Option<&JournalPositions>,
) -> Result<DeferredRows, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = after.map(|account| (source.ledger.shard_of(account), account.as_str()));
    let mut moment = snapshot(source.pool).await?;
    let mut rows = deferred::rows(&mut moment, cell, after, limit).await?;
    moment.rollback().await?;
    let next =
        rows.last().filter(|_| i64::try_from(rows.len()) == Ok(limit)).map(|row| row.account_id.clone());
    rows.retain(|row| row.minor != 0);
    Ok(DeferredRows { rows, next, freshness })
}
