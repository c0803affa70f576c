//! What became of the accounts that paid at the start of an interval?

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::{FromRow, PgExecutor};

use crate::domain::amount::Currency;

use super::figures::{Figures, Proportion};

/// What became of the accounts that paid at the start of an interval, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevenueRetention {
    pub currency: String,
    /// The first and the last day.
    pub days: (NaiveDate, NaiveDate),
    pub mrr_at_start: i64,
    pub mrr_at_end: i64,
    /// The MRR at the end of the accounts that paid at the start.
    pub kept_and_grown: i64,
    /// The same, with each account counting at most as much as at the start.
    pub kept: i64,
    pub accounts_at_start: i64,
    pub accounts_at_end: i64,
    /// How many of the accounts that paid at the start stopped at some time.
    pub accounts_churned: i64,
    /// How many of the accounts that paid at the start pay at the end.
    pub accounts_kept: i64,
}

impl RevenueRetention {
    #[must_use]
    pub const fn net_revenue(&self) -> Proportion {
        Proportion { part: self.kept_and_grown, whole: self.mrr_at_start }
    }

    #[must_use]
    pub const fn gross_revenue(&self) -> Proportion {
        Proportion { part: self.kept, whole: self.mrr_at_start }
    }

    #[must_use]
    pub const fn logo_churn(&self) -> Proportion {
        Proportion { part: self.accounts_churned, whole: self.accounts_at_start }
    }

    #[must_use]
    pub const fn logos(&self) -> Proportion {
        Proportion { part: self.accounts_kept, whole: self.accounts_at_start }
    }
}

/// What became, in one interval and currency, of those accounts that paid at its start and moved in it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct IntervalMoves {
    /// The number of the interval, from 0.
    pub place: i32,
    pub currency: String,
    /// By how much their MRR changed.
    pub grown: i64,
    /// The same, without those that grew.
    pub lost: i64,
    pub accounts_churned: i64,
    /// How many pay nothing at the end.
    pub accounts_left: i64,
}

/// What became of the accounts that paid at the start of each interval, in one currency or in each.
///
/// # Errors
/// If the database does not answer, or a sum does not fit.
pub async fn interval_moves(
    executor: impl PgExecutor<'_>,
    intervals: &[(NaiveDate, NaiveDate)],
    currency: Option<&Currency>,
) -> Result<Vec<IntervalMoves>, sqlx::Error> {
    sqlx::query_as(include_str!("retention.sql"))
        .bind((0..).take(intervals.len()).collect::<Vec<i32>>())
        .bind(intervals.iter().map(|(first, _)| *first).collect::<Vec<_>>())
        .bind(intervals.iter().map(|(_, until)| *until).collect::<Vec<_>>())
        .bind(currency.map(Currency::as_str))
        .fetch_all(executor)
        .await
}

/// The retention of each of the intervals of `series`, whose moves are `moves`.
#[must_use]
pub fn retention(series: &[Figures], moves: &[IntervalMoves]) -> Vec<RevenueRetention> {
    let mut starts: Vec<NaiveDate> = series.iter().map(|figures| figures.start).collect();
    starts.sort_unstable();
    starts.dedup();
    let start = |moves: &IntervalMoves| starts.get(usize::try_from(moves.place).ok()?).copied();
    let own: BTreeMap<_, _> =
        moves.iter().filter_map(|moves| Some(((start(moves)?, moves.currency.as_str()), moves))).collect();
    let of = |figures: &Figures| {
        let moves = own.get(&(figures.start, figures.currency.as_str()));
        let sum = |of: fn(&IntervalMoves) -> i64| moves.map_or(0, |moves| of(moves));
        let mrr = |change: i64| figures.mrr_at_start.saturating_add(change);
        RevenueRetention {
            currency: figures.currency.clone(),
            days: (figures.start, figures.end),
            mrr_at_start: figures.mrr_at_start,
            mrr_at_end: figures.mrr,
            kept_and_grown: mrr(sum(|moves| moves.grown)),
            kept: mrr(sum(|moves| moves.lost)),
            accounts_at_start: figures.accounts_at_start,
            accounts_at_end: figures.paying_accounts,
            accounts_churned: sum(|moves| moves.accounts_churned),
            accounts_kept: figures.accounts_at_start.saturating_sub(sum(|moves| moves.accounts_left)),
        }
    };
    series.iter().map(of).collect()
}
