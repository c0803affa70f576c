//! How much was used, of what, and when? By the days of the catalog's time zone, as for limits.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{
    domain::{ids::AccountId, recorded::JournalPositions},
    projections::{
        FigureInterval,
        usage::{self, Buckets, UsageGroup},
    },
};

use super::{Freshness, QueryError, ReportSource};

const MODEL: &str = "usage";

/// The days from one until before another, grouped by an interval.
#[derive(Clone, Copy, Debug)]
pub struct UsageSpan {
    pub from: NaiveDate,
    pub until: NaiveDate,
    pub interval: FigureInterval,
}

/// The usage by day, week or month. Those without usage are left out.
pub struct UsageReport<Row> {
    pub rows: Vec<Row>,
    /// The time zone of the days.
    pub time_zone: Tz,
    pub freshness: Freshness,
}

impl UsageSpan {
    fn buckets(self, time_zone: Tz) -> Buckets {
        Buckets::of(self.from, self.until, self.interval, time_zone)
    }
}

/// # Errors
/// If there is no such account, the read model does not reach the position in time, or the database does not answer.
pub async fn account_usage(
    from: ReportSource<'_>,
    account: &AccountId,
    span: UsageSpan,
    min_position: Option<&JournalPositions>,
) -> Result<UsageReport<usage::Day>, QueryError> {
    let time_zone = from.ledger.catalog().time_zone;
    let buckets = span.buckets(time_zone);
    let freshness = from.wait(MODEL, Some(account), min_position).await?;
    let rows = usage::of_account(from.pool, from.ledger.shard_of(account), account, &buckets).await?;
    if rows.is_empty() {
        from.require_account(account).await?;
    }
    Ok(UsageReport { rows, time_zone, freshness })
}

/// Usage over all accounts.
///
/// # Errors
/// If the read model does not reach the position in time, or the database does not answer.
pub async fn overall_usage(
    from: ReportSource<'_>,
    span: UsageSpan,
    min_position: Option<&JournalPositions>,
) -> Result<UsageReport<UsageGroup>, QueryError> {
    let time_zone = from.ledger.catalog().time_zone;
    let freshness = from.wait(MODEL, None, min_position).await?;
    let rows = usage::overall(from.pool, &span.buckets(time_zone)).await?;
    Ok(UsageReport { rows, time_zone, freshness })
}
