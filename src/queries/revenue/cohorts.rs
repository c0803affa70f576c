//! How much of what accounts once paid is still there: by the month in which they first paid, or by interval?

use chrono::NaiveDate;

use crate::{
    domain::{amount::Currency, ids::AccountId, recorded::JournalPositions, time::Timestamp},
    projections::{
        FigureInterval,
        mrr::{self, CohortMonth, CohortRow, CohortSelection, RetainedRow, RevenueRetention},
    },
};

use super::{
    MODEL, RevenueSpan,
    churn::{AccountPartsPage, cursor},
};
use crate::queries::{Freshness, QueryError, ReportSource, snapshot};

/// The accounts that first paid in one month, in one currency.
pub struct RevenueCohort {
    /// The first day of the month.
    pub month: NaiveDate,
    pub currency: String,
    pub accounts: i64,
    /// At the end of the month.
    pub mrr_at_start: i64,
    /// At the end of the month, and of each later one that is over.
    pub months: Vec<CohortMonth>,
}

pub struct CohortReport {
    pub cohorts: Vec<RevenueCohort>,
    /// When one of the figures was last changed after its days were over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// The cohorts of the months from that of the first day on, in one currency or in each.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn cohorts(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    currency: Option<&Currency>,
    min_position: Option<&JournalPositions>,
) -> Result<CohortReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let mut moment = snapshot(source.pool).await?;
    let months = mrr::cohorts(&mut *moment, from, until, currency).await?;
    let restated_since = mrr::restated_balances(&mut *moment, from, until, currency).await?;
    moment.rollback().await?;
    Ok(CohortReport { cohorts: by_cohort(months), restated_since, freshness })
}

/// The months of a cohort follow each other, and the first is its own.
fn by_cohort(months: Vec<CohortMonth>) -> Vec<RevenueCohort> {
    let mut cohorts: Vec<RevenueCohort> = Vec::new();
    for month in months {
        match cohorts.last_mut() {
            Some(known) if (known.month, &known.currency) == (month.month, &month.currency) => {
                known.months.push(month);
            }
            Some(_) | None => cohorts.push(RevenueCohort {
                month: month.month,
                currency: month.currency.clone(),
                accounts: month.accounts_at_start,
                mrr_at_start: month.mrr,
                months: vec![month],
            }),
        }
    }
    cohorts
}

/// A page of the accounts of a cohort.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn cohort_accounts(
    source: ReportSource<'_>,
    selection: CohortSelection<'_>,
    (after, limit): (Option<(&AccountId, &str)>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<AccountPartsPage<CohortRow>, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = cursor(&source, after);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = mrr::cohort_rows(source.pool, selection, after.as_ref(), rows).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(CohortRow::cursor);
    Ok(AccountPartsPage { rows, next, freshness })
}

pub struct RetentionReport {
    /// Every interval, for each currency.
    pub series: Vec<RevenueRetention>,
    /// When one of the figures was last changed after its days were over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// What became, in each interval, of the accounts that paid at its start, in one currency or in each.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn retention(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    (interval, currency): (FigureInterval, Option<&Currency>),
    min_position: Option<&JournalPositions>,
) -> Result<RetentionReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let mut moment = snapshot(source.pool).await?;
    let before = mrr::changes_before(&mut *moment, from, currency).await?;
    let changes = mrr::day_changes(&mut *moment, from, until, currency).await?;
    let moves = mrr::interval_moves(&mut *moment, &interval.of_days(from, until), currency).await?;
    let restated_since = mrr::restated_balances(&mut *moment, from, until, currency).await?;
    moment.rollback().await?;
    let series = mrr::retention(&mrr::series(&before, &changes, (from, until), interval), &moves);
    Ok(RetentionReport { series, restated_since, freshness })
}

/// A page of the accounts that paid at the start of the days, with what they pay at the end.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn retained_accounts(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    currency: Option<&Currency>,
    (after, limit): (Option<(&AccountId, &str)>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<AccountPartsPage<RetainedRow>, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = cursor(&source, after);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = mrr::retained(source.pool, (from, until), currency, after.as_ref(), rows).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(RetainedRow::cursor);
    Ok(AccountPartsPage { rows, next, freshness })
}
