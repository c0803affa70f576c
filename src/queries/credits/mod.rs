//! How do the credits of all accounts come and go, how many are there, and which accounts make up a figure?

mod lines;

use chrono::NaiveDate;
use chrono_tz::Tz;
use sqlx::PgPool;

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions, time::Timestamp},
    projections::{
        FigureInterval,
        credits::{self, CreditCell, CreditFlow, CreditRow, CreditStock, Spans},
    },
};

pub use lines::{CREDIT_COLUMNS, credit_lines};

use super::{Freshness, QueryError, ReportSource, snapshot};

/// The read model that has them.
pub const MODEL: &str = "credits";
/// Has the accounts of uses, which are many.
const USES: &str = "usage";

/// The days from `from` until before `until`, of a time zone.
#[derive(Clone, Copy, Debug)]
pub struct CreditSpan {
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub time_zone: Tz,
}

/// What came and went in one interval. `closing` is `opening` with all of `flows`.
pub struct CreditInterval {
    /// The first day, and the first day after it.
    pub days: (NaiveDate, NaiveDate),
    pub opening: CreditStock,
    pub flows: Vec<CreditFlow>,
    pub closing: CreditStock,
}

pub struct CreditReport {
    pub intervals: Vec<CreditInterval>,
    /// When one of the days was last changed after it was over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// How credits came and went, by interval.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn credit_flows(
    source: ReportSource<'_>,
    span: CreditSpan,
    interval: FigureInterval,
    min_position: Option<&JournalPositions>,
) -> Result<CreditReport, QueryError> {
    let freshness = source.wait(MODEL, None, min_position).await?;
    let (intervals, restated_since) = credit_intervals(source.pool, span, interval).await?;
    Ok(CreditReport { intervals, restated_since, freshness })
}

/// The same, as the read model is, and when one of the days was last changed after it was over.
///
/// # Errors
/// If the database does not answer.
pub async fn credit_intervals(
    pool: &PgPool,
    span: CreditSpan,
    interval: FigureInterval,
) -> Result<(Vec<CreditInterval>, Option<Timestamp>), sqlx::Error> {
    let spans = Spans::of(span.from, span.until, interval, span.time_zone);
    // What is read must be of one moment: otherwise the flows would not lead from one stock to the next.
    let mut moment = snapshot(pool).await?;
    let opening = credits::stock_before(&mut moment, &spans).await?;
    let flows = credits::flows(&mut moment, &spans).await?;
    let restated_since = credits::restated_since(&mut moment, &spans).await?;
    moment.rollback().await?;
    Ok((intervals(&spans, span.until, opening, flows), restated_since))
}

fn intervals(
    spans: &Spans,
    until: NaiveDate,
    mut opening: CreditStock,
    flows: Vec<CreditFlow>,
) -> Vec<CreditInterval> {
    let ends = spans.starts.iter().skip(1).copied().chain([until]);
    let mut flows = flows.into_iter().peekable();
    let mut intervals = Vec::with_capacity(spans.starts.len());
    for (place, days) in spans.starts.iter().copied().zip(ends).enumerate() {
        let mut own = Vec::new();
        while let Some(flow) = flows.next_if(|flow| flow.place == place) {
            own.push(flow);
        }
        let closing = own.iter().fold(opening, |stock, flow| stock.plus(flow.change));
        intervals.push(CreditInterval { days, opening, flows: own, closing });
        opening = closing;
    }
    intervals
}

/// A page of the accounts that make up a figure.
pub struct CreditRows {
    pub rows: Vec<CreditRow>,
    /// The account after which the next page begins. `None`: this is the last page.
    pub next: Option<String>,
    pub freshness: Freshness,
}

/// The accounts that make up a figure, from the one after `after` on: what each adds to it.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn credit_rows(
    source: ReportSource<'_>,
    cell: &CreditCell,
    (after, limit): (Option<&AccountId>, i64),
    min_position: Option<&JournalPositions>,
) -> Result<CreditRows, QueryError> {
    let freshness = source.wait(USES, None, min_position).await?;
    let freshness = freshness.older(source.wait(MODEL, None, min_position).await?);
    let after = after.map(|account| (source.ledger.shard_of(account), account.as_str()));
    let mut moment = snapshot(source.pool).await?;
    let rows = credits::rows(&mut moment, cell, after, limit).await?;
    moment.rollback().await?;
    let next =
        rows.last().filter(|_| i64::try_from(rows.len()) == Ok(limit)).map(|row| row.account_id.clone());
    Ok(CreditRows { rows, next, freshness })
}
