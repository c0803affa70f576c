//! How much came and went, how much was there, and which accounts make up a figure?

use chrono::{DateTime, Days, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{recorded::Shard, statement::LineKind, time::Timestamp},
    projections::calendar::FigureInterval,
};

use super::spans::{Spans, midnight};

/// What came and went in one interval, of one kind. Amounts are signed, and may be larger than those of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditFlow {
    /// The number of the interval, from 0.
    pub place: usize,
    pub kind: String,
    /// Empty for what is of no type of generation.
    pub generation_type: String,
    pub count: i64,
    pub change: CreditStock,
}

/// Credits of all accounts: how many there are, or by how much that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditStock {
    /// Available and frozen.
    pub available: i128,
    pub held: i128,
    pub debt: i128,
}

impl CreditStock {
    /// The stock after a change.
    #[must_use]
    pub const fn plus(self, change: Self) -> Self {
        Self {
            available: self.available.saturating_add(change.available),
            held: self.held.saturating_add(change.held),
            debt: self.debt.saturating_add(change.debt),
        }
    }
}

/// Which figure is asked about. Fields that are `None` do not filter.
#[derive(Clone, Debug)]
pub struct CreditCell {
    /// When it begins. `None`: since the beginning, so that it is a stock.
    pub from: Option<Timestamp>,
    pub until: Timestamp,
    pub kind: Option<LineKind>,
    /// Empty for what is of no type of generation.
    pub generation_type: Option<String>,
}

/// One account's part of a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditRow {
    pub account_id: String,
    pub count: i64,
    pub change: CreditStock,
}

#[derive(FromRow)]
struct StockColumns {
    available: String,
    held: String,
    debt: String,
}

#[derive(FromRow)]
struct FlowColumns {
    place: i32,
    kind: String,
    generation_type: String,
    count: i64,
    #[sqlx(flatten)]
    change: StockColumns,
}

#[derive(FromRow)]
struct RowColumns {
    account_id: String,
    count: i64,
    #[sqlx(flatten)]
    change: StockColumns,
}

impl StockColumns {
    fn read(self) -> Result<CreditStock, sqlx::Error> {
        let number = |text: String| text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)));
        Ok(CreditStock {
            available: number(self.available)?,
            held: number(self.held)?,
            debt: number(self.debt)?,
        })
    }
}

/// What came and went, by interval, kind and type of generation. Where there was nothing, there is no row.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn flows(connection: &mut PgConnection, spans: &Spans) -> Result<Vec<CreditFlow>, sqlx::Error> {
    let rows: Vec<FlowColumns> = sqlx::query_as(include_str!("flows.sql"))
        .bind(&spans.days.places)
        .bind(&spans.days.firsts)
        .bind(&spans.days.untils)
        .bind(&spans.quarters.places)
        .bind(&spans.quarters.begins)
        .bind(&spans.quarters.untils)
        .fetch_all(connection)
        .await?;
    let flow = |row: FlowColumns| {
        Ok(CreditFlow {
            place: usize::try_from(row.place).unwrap_or_default(),
            kind: row.kind,
            generation_type: row.generation_type,
            count: row.count,
            change: row.change.read()?,
        })
    };
    rows.into_iter().map(flow).collect()
}

/// The credits that there were when the first of some intervals began.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn stock_before(connection: &mut PgConnection, spans: &Spans) -> Result<CreditStock, sqlx::Error> {
    let day = spans.begin.date_naive();
    let row: StockColumns = sqlx::query_as(include_str!("stock.sql"))
        .bind(FigureInterval::Month.first_day(day))
        .bind(day)
        .bind(midnight(day))
        .bind(spans.begin)
        .fetch_one(connection)
        .await?;
    row.read()
}

/// When a day, in UTC, that some intervals have in common with it was last changed after it was over.
///
/// # Errors
/// If the database does not answer.
pub async fn restated_since(
    connection: &mut PgConnection,
    spans: &Spans,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let (first, last) = (spans.begin.date_naive(), spans.end.date_naive());
    let until = if midnight(last) == spans.end { Some(last) } else { last.checked_add_days(Days::new(1)) };
    let at: Option<DateTime<Utc>> = sqlx::query_scalar(include_str!("restated.sql"))
        .bind(first)
        .bind(until.unwrap_or(last))
        .fetch_one(connection)
        .await?;
    Ok(at.map(Timestamp::from))
}

/// The accounts that make up a figure, by shard and name: at most `limit`, from the one after `after` on.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn rows(
    connection: &mut PgConnection,
    cell: &CreditCell,
    after: Option<(Shard, &str)>,
    limit: i64,
) -> Result<Vec<CreditRow>, sqlx::Error> {
    let rows: Vec<RowColumns> = sqlx::query_as(include_str!("rows.sql"))
        .bind(cell.from.map(Timestamp::to_utc))
        .bind(cell.until.to_utc())
        .bind(cell.kind.map(LineKind::name))
        .bind(cell.generation_type.as_deref())
        .bind(after.map_or(i16::MIN, |(shard, _)| shard.0))
        .bind(after.map_or("", |(_, account)| account))
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let row = |row: RowColumns| {
        Ok(CreditRow { account_id: row.account_id, count: row.count, change: row.change.read()? })
    };
    rows.into_iter().map(row).collect()
}
