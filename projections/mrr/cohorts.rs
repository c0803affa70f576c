//! What do accounts pay, months after they first paid, or at the end of an interval?

use chrono::NaiveDate;
use sqlx::{FromRow, PgExecutor};

use crate::{domain::amount::Currency, projections::calendar::FigureInterval};

use super::{churned::AccountPartCursor, figures::Proportion, queries::ROWS_MAX, sums::month};
use crate::domain::recorded::Shard;

/// What the accounts that first paid in one month pay at the end of it or of a later one, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CohortMonth {
    /// The first day of the month in which they first paid.
    pub month: NaiveDate,
    pub currency: String,
    /// At whose end they pay it: the last day of a month.
    pub last_day: NaiveDate,
    /// How many accounts first paid in the month.
    pub accounts_at_start: i64,
    /// How many of them pay.
    pub accounts: i64,
    pub mrr: i64,
    /// The same, with each account counting at most as much as at the end of its first month.
    pub kept: i64,
}

impl CohortMonth {
    #[must_use]
    pub const fn logos(&self) -> Proportion {
        Proportion { part: self.accounts, whole: self.accounts_at_start }
    }

    /// As a share of what they paid at the end of their first month.
    #[must_use]
    pub const fn net_revenue(&self, mrr_at_start: i64) -> Proportion {
        Proportion { part: self.mrr, whole: mrr_at_start }
    }

    /// The same, where no account counts more than then.
    #[must_use]
    pub const fn gross_revenue(&self, mrr_at_start: i64) -> Proportion {
        Proportion { part: self.kept, whole: mrr_at_start }
    }
}

/// The last days of the months from that of `from` on that are over before `until`.
fn month_ends(from: NaiveDate, until: NaiveDate) -> Vec<NaiveDate> {
    let next = |first: &NaiveDate| FigureInterval::Month.next_first_day(*first);
    let firsts = std::iter::successors(Some(month(from)), next).skip(1).take_while(|next| *next <= until);
    firsts.filter_map(|next| next.pred_opt()).collect()
}

/// The cohorts of the months from that of `from` on, at the end of each month that is over before `until`, in one
/// currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn cohorts(
    executor: impl PgExecutor<'_>,
    from: NaiveDate,
    until: NaiveDate,
    currency: Option<&Currency>,
) -> Result<Vec<CohortMonth>, sqlx::Error> {
    sqlx::query_as(include_str!("cohorts.sql"))
        .bind(month(from))
        .bind(until)
        .bind(currency.map(Currency::as_str))
        .bind(month_ends(from, until))
        .fetch_all(executor)
        .await
}

/// Which accounts of a cohort are wanted.
#[derive(Clone, Copy, Debug)]
pub struct CohortSelection<'a> {
    /// A day of the month in which they first paid.
    pub month: NaiveDate,
    /// At the end of which day it is shown what they pay.
    pub on: NaiveDate,
    pub currency: Option<&'a Currency>,
    /// Only those that pay then, or only those that do not.
    pub paying: Option<bool>,
}

/// An account of a cohort.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CohortRow {
    pub shard: i16,
    pub account_id: String,
    pub currency: String,
    pub first_paid_on: NaiveDate,
    /// At the end of its first month.
    pub mrr_at_start: i64,
    pub mrr: i64,
}

impl CohortRow {
    #[must_use]
    pub fn cursor(&self) -> AccountPartCursor {
        let (account_id, of) = (self.account_id.clone(), self.currency.clone());
        AccountPartCursor { shard: Shard(self.shard), account_id, of }
    }
}

/// At most `limit` accounts of a cohort, by shard and name.
///
/// # Errors
/// If the database does not answer.
pub async fn cohort_rows(
    executor: impl PgExecutor<'_>,
    selection: CohortSelection<'_>,
    after: Option<&AccountPartCursor>,
    limit: i64,
) -> Result<Vec<CohortRow>, sqlx::Error> {
    let CohortSelection { month: of, on, currency, paying } = selection;
    sqlx::query_as(include_str!("cohort_rows.sql"))
        .bind(month(of))
        .bind(FigureInterval::Month.next_first_day(of).unwrap_or(of))
        .bind(on)
        .bind(currency.map(Currency::as_str))
        .bind(paying)
        .bind(after.map_or(i16::MIN, |after| after.shard.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.of.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .fetch_all(executor)
        .await
}

/// What an account that paid at one time pays at a later one.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RetainedRow {
    pub shard: i16,
    pub account_id: String,
    pub currency: String,
    pub mrr_at_start: i64,
    pub mrr_at_end: i64,
}

impl RetainedRow {
    #[must_use]
    pub fn cursor(&self) -> AccountPartCursor {
        let (account_id, of) = (self.account_id.clone(), self.currency.clone());
        AccountPartCursor { shard: Shard(self.shard), account_id, of }
    }
}

/// At most `limit` of the accounts that paid at the start of `from`, with what they pay at the start of `until`, by
/// shard and name.
///
/// # Errors
/// If the database does not answer.
pub async fn retained(
    executor: impl PgExecutor<'_>,
    (from, until): (NaiveDate, NaiveDate),
    currency: Option<&Currency>,
    after: Option<&AccountPartCursor>,
    limit: i64,
) -> Result<Vec<RetainedRow>, sqlx::Error> {
    sqlx::query_as(include_str!("retained_rows.sql"))
        .bind(from.pred_opt().unwrap_or(from))
        .bind(until.pred_opt().unwrap_or(until))
        .bind(currency.map(Currency::as_str))
        .bind(after.map_or(i16::MIN, |after| after.shard.0))
        .bind(after.map_or("", |after| after.account_id.as_str()))
        .bind(after.map_or("", |after| after.of.as_str()))
        .bind(limit.clamp(1, ROWS_MAX))
        .fetch_all(executor)
        .await
}
