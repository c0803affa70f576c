//! What is the business's recurring revenue, and why did it change?

pub mod churn;
pub mod cohorts;
mod lines;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{
    domain::{amount::Currency, ids::AccountId, recorded::JournalPositions, time::Timestamp},
    projections::{
        FigureInterval,
        mrr::{
            self, Figures, MovementCursor, MovementRow, MovementSelection, PayingCursor, PayingRow,
            RestatementCursor, RestatementRow, RevenueRetention, churn::ChurnClass, movements::MovementKind,
        },
    },
};

pub use lines::{REVENUE_COLUMNS, revenue_lines};

use super::{Freshness, QueryError, ReportSource, snapshot};

pub(super) const MODEL: &str = "mrr";

/// The days from `from` until before `until`, in UTC.
#[derive(Clone, Copy, Debug)]
pub struct RevenueSpan {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// The MRR in a span of days.
pub struct RevenueReport {
    /// Every interval, for each currency.
    pub series: Vec<Figures>,
    /// Over all of the days, for each currency.
    pub retention: Vec<RevenueRetention>,
    /// When one of the figures was last changed after its days were over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// The MRR in one currency, or in each.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn revenue(
    source: ReportSource<'_>,
    RevenueSpan { from, until }: RevenueSpan,
    (interval, currency): (FigureInterval, Option<&Currency>),
    min_position: Option<&JournalPositions>,
) -> Result<RevenueReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let mut moment = snapshot(source.pool).await?;
    let before = mrr::changes_before(&mut *moment, from, currency).await?;
    let changes = mrr::day_changes(&mut *moment, from, until, currency).await?;
    let moves = mrr::interval_moves(&mut *moment, &[(from, until)], currency).await?;
    let restated_since = mrr::restated_balances(&mut *moment, from, until, currency).await?;
    moment.rollback().await?;
    let series = mrr::series(&before, &changes, (from, until), interval);
    let retention = mrr::retention(&whole(&series), &moves);
    Ok(RevenueReport { series, retention, restated_since, freshness })
}

/// Over all intervals, for each currency: one that begins with the first and ends with the last.
pub(super) fn whole(series: &[Figures]) -> Vec<Figures> {
    let mut all: BTreeMap<&str, Figures> = BTreeMap::new();
    for figures in series {
        match all.get_mut(figures.currency.as_str()) {
            Some(known) => known.go_on(figures),
            None => {
                all.insert(&figures.currency, figures.clone());
            }
        }
    }
    all.into_values().collect()
}

/// A page of accounts that paid.
pub struct PayingPage {
    pub rows: Vec<PayingRow>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<PayingCursor>,
    pub freshness: Freshness,
}

/// The accounts that paid at the end of a day, with their MRR: in one currency, or in any.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn paying_accounts(
    source: ReportSource<'_>,
    (on, currency): (NaiveDate, Option<&Currency>),
    (after, limit): (Option<(&AccountId, &Currency)>, usize),
    min_position: Option<&JournalPositions>,
) -> Result<PayingPage, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let after = after.map(|(account, currency)| PayingCursor {
        shard: source.ledger.shard_of(account),
        account_id: account.to_string(),
        currency: currency.to_string(),
    });
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = mrr::paying(source.pool, on, currency, after.as_ref(), rows).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(PayingRow::cursor);
    Ok(PayingPage { rows, next, freshness })
}

/// Which movements are requested. Fields that are `None` do not filter.
#[derive(Clone, Copy, Debug)]
pub struct MovementFilter<'a> {
    pub span: RevenueSpan,
    pub account: Option<&'a AccountId>,
    pub kind: Option<MovementKind>,
    pub currency: Option<&'a Currency>,
    /// Only churn of this class.
    pub churn: Option<ChurnClass>,
}

/// A page of movements, by day.
pub struct MovementPage {
    pub movements: Vec<MovementRow>,
    /// Where the next page begins. `None`: this is the last page.
    pub next: Option<MovementCursor>,
    /// When one of the days was last changed after it was over. `None`: none was.
    pub restated_since: Option<Timestamp>,
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
    let MovementFilter { span: RevenueSpan { from, until }, account, kind, currency, churn } = filter;
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let account = account.map(|account| (source.ledger.shard_of(account), account));
    let selection = MovementSelection { from, until, account, kind, currency, churn };
    let mut moment = snapshot(source.pool).await?;
    let movements = mrr::movements(&mut *moment, selection, after, rows).await?;
    let restated_since = mrr::restated_days(&mut *moment, selection).await?;
    moment.rollback().await?;
    let next = movements.last().filter(|_| movements.len() == limit).map(MovementRow::cursor);
    Ok(MovementPage { movements, next, restated_since, freshness })
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
