//! What is the business's recurring revenue, and why did it change?

use chrono::NaiveDate;

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions},
    projections::{
        FigureInterval,
        mrr::{
            self, Figures, MovementCursor, MovementRow, RestatementCursor, RestatementRow, RevenueRetention,
            movements::MovementKind,
        },
    },
};

use super::{Freshness, QueryError, ReportSource};

const MODEL: &str = "mrr";

/// The days from `from` until before `until`, in UTC.
#[derive(Clone, Copy, Debug)]
pub struct RevenueSpan {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// The MRR in a span of days.
pub struct RevenueReport {
    /// Every day, week or month, for each currency.
    pub series: Vec<Figures>,
    /// Over all of the days, for each currency.
    pub retention: Vec<RevenueRetention>,
    pub freshness: Freshness,
}

/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn revenue(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    interval: FigureInterval,
    min_position: Option<&JournalPositions>,
) -> Result<RevenueReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let changes = mrr::day_changes(source.pool, until).await?;
    let series = mrr::series(&changes, from, until, interval);
    let retention = mrr::retention(source.pool, from, until).await?;
    Ok(RevenueReport { series, retention, freshness })
}

/// Which movements are requested. Fields that are `None` do not filter.
#[derive(Clone, Copy, Debug)]
pub struct MovementFilter<'a> {
    pub span: RevenueSpan,
    pub account: Option<&'a AccountId>,
    pub kind: Option<MovementKind>,
}

/// A page of movements, by day.
pub struct MovementPage {
    pub movements: Vec<MovementRow>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<MovementCursor>,
    pub freshness: Freshness,
}

/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn revenue_movements(
    source: ReportSource<'_>,
    filter: MovementFilter<'_>,
    (after, limit): (Option<&MovementCursor>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<MovementPage, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let MovementFilter { span: RevenueSpan { from, until }, account, kind } = filter;
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let account = account.map(|account| (source.ledger.shard_of(account), account));
    let movements = mrr::movements(source.pool, from, until, account, kind, after, rows).await?;
    let next = movements.last().filter(|_| movements.len() == limit).map(MovementRow::cursor);
    Ok(MovementPage { movements, next, freshness })
}

/// A page of restatements, by day.
pub struct RestatementPage {
    pub restatements: Vec<RestatementRow>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<RestatementCursor>,
    pub freshness: Freshness,
}

/// The days of a span that were over when a report changed them.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn revenue_restatements(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    (after, limit): (Option<&RestatementCursor>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<RestatementPage, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let restatements = mrr::restatements(source.pool, from, until, after, rows).await?;
    let next = restatements.last().filter(|_| restatements.len() == limit).map(RestatementRow::cursor);
    Ok(RestatementPage { restatements, next, freshness })
}
