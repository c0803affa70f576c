//! How much money is deferred, what happened to it, and which accounts make up a figure?

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{
        recorded::Shard,
        revenue::{RevenueKind, RevenueSource},
        time::Timestamp,
    },
    projections::calendar::FigureInterval,
};

/// Which money is asked about. Fields that are `None` do not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct RevenueFilter<'a> {
    pub currency: Option<&'a str>,
    pub source: Option<RevenueSource>,
}

/// What happened to money in one interval, in minor units. Sums may be larger than the money of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredFlow {
    pub currency: String,
    /// The number of the interval, from 0.
    pub place: usize,
    pub source: RevenueSource,
    pub kind: RevenueKind,
    pub minor: i128,
}

impl DeferredFlow {
    /// What it adds to what is deferred.
    #[must_use]
    pub fn deferred(&self) -> i128 {
        self.minor.saturating_mul(i128::from(self.kind.deferred(1)))
    }
}

/// How much money is deferred, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredStock {
    pub currency: String,
    pub minor: i128,
}

/// Which figure is asked about. Fields that are `None` do not filter.
#[derive(Clone, Copy, Debug)]
pub struct DeferredCell<'a> {
    /// The first day, in UTC. `None`: since the beginning.
    pub from: Option<NaiveDate>,
    /// The first day after it.
    pub until: NaiveDate,
    pub currency: &'a str,
    pub source: Option<RevenueSource>,
    /// `None`: what it adds to what is deferred.
    pub kind: Option<RevenueKind>,
}

/// One account's part of a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredRow {
    pub account_id: String,
    pub minor: i128,
}

#[derive(FromRow)]
struct FlowColumns {
    currency: String,
    place: i32,
    source: String,
    kind: String,
    minor: String,
}

fn number(text: &str) -> Result<i128, sqlx::Error> {
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

impl FlowColumns {
    fn read(self) -> Result<DeferredFlow, sqlx::Error> {
        let unknown = || sqlx::Error::Decode("an unknown source or kind".into());
        Ok(DeferredFlow {
            place: usize::try_from(self.place).unwrap_or_default(),
            source: RevenueSource::parse(&self.source).ok_or_else(unknown)?,
            kind: RevenueKind::parse(&self.kind).ok_or_else(unknown)?,
            minor: number(&self.minor)?,
            currency: self.currency,
        })
    }
}

/// What happened, by currency and interval. Where there was nothing, there is no row.
///
/// # Errors
/// If the database does not answer.
pub async fn flows(
    connection: &mut PgConnection,
    intervals: &[(NaiveDate, NaiveDate)],
    filter: RevenueFilter<'_>,
) -> Result<Vec<DeferredFlow>, sqlx::Error> {
    let places = (0..).zip(intervals).map(|(place, _)| place);
    let rows: Vec<FlowColumns> = sqlx::query_as(include_str!("flows.sql"))
        .bind(places.collect::<Vec<i32>>())
        .bind(intervals.iter().map(|(first, _)| *first).collect::<Vec<_>>())
        .bind(intervals.iter().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(filter.currency)
        .bind(filter.source.map(RevenueSource::name))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(FlowColumns::read).collect()
}

/// What was deferred when a day began, by currency.
///
/// # Errors
/// If the database does not answer.
pub async fn stock_before(
    connection: &mut PgConnection,
    day: NaiveDate,
    filter: RevenueFilter<'_>,
) -> Result<Vec<DeferredStock>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(include_str!("stock.sql"))
        .bind(FigureInterval::Month.first_day(day))
        .bind(day)
        .bind(filter.currency)
        .bind(filter.source.map(RevenueSource::name))
        .fetch_all(connection)
        .await?;
    let stock = |(currency, minor): (String, String)| Ok(DeferredStock { minor: number(&minor)?, currency });
    rows.into_iter().map(stock).collect()
}

/// When one of the days from `from` until before `until` was last changed after it was over.
///
/// # Errors
/// If the database does not answer.
pub async fn restated_since(
    connection: &mut PgConnection,
    (from, until): (NaiveDate, NaiveDate),
    filter: RevenueFilter<'_>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let at: Option<DateTime<Utc>> = sqlx::query_scalar(include_str!("restated.sql"))
        .bind(from)
        .bind(until)
        .bind(filter.currency)
        .bind(filter.source.map(RevenueSource::name))
        .fetch_one(connection)
        .await?;
    Ok(at.map(Timestamp::from))
}

/// The accounts that make up a figure, by shard and name: at most `limit`, from the one after `after` on.
///
/// # Errors
/// If the database does not answer.
pub async fn rows(
    connection: &mut PgConnection,
    cell: DeferredCell<'_>,
    after: Option<(Shard, &str)>,
    limit: i64,
) -> Result<Vec<DeferredRow>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(include_str!("rows.sql"))
        .bind(cell.from)
        .bind(cell.until)
        .bind(cell.currency)
        .bind(cell.source.map(RevenueSource::name))
        .bind(cell.kind.map(RevenueKind::name))
        .bind(after.map_or(i16::MIN, |(shard, _)| shard.0))
        .bind(after.map_or("", |(_, account)| account))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let row = |(account_id, minor): (String, String)| Ok(DeferredRow { minor: number(&minor)?, account_id });
    rows.into_iter().map(row).collect()
}
