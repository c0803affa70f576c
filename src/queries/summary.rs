//! How is the business doing, in one look, and how was it in the days before?

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use sqlx::PgConnection;

use crate::{
    domain::{amount::Currency, recorded::JournalPositions, time::Timestamp},
    projections::{
        FigureInterval,
        deferred::{self, RevenueFilter},
        mrr::{self, Figures, Proportion, RevenueRetention},
    },
};

use super::{
    Freshness, QueryError, ReportSource, deferred as deferred_revenue,
    revenue::{self, RevenueSpan},
    snapshot,
};

/// The whole months over which churn is averaged for the value of a customer.
pub const CLV_MONTHS: u32 = 6;

/// How the business did in some days, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodSummary {
    pub figures: Figures,
    pub retention: RevenueRetention,
    /// Money that was paid in advance and is not earned yet, at the end, in minor units.
    pub deferred: i128,
}

/// How the business did in some days, and in as many before them, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencySummary {
    pub currency: String,
    pub now: PeriodSummary,
    pub before: PeriodSummary,
    /// Accounts that churned in the last whole months, and the accounts that paid at the start of each.
    pub churn_of_months: Proportion,
}

impl CurrencySummary {
    /// The value of a customer: the revenue per account divided by monthly logo churn, in minor units.
    #[must_use]
    pub fn clv(&self) -> Proportion {
        let Proportion { part: mrr, whole: accounts } = self.now.figures.arpu();
        let Proportion { part: churned, whole: at_starts } = self.churn_of_months;
        // What does not fit says nothing, as what cannot be divided.
        match (mrr.checked_mul(at_starts), accounts.checked_mul(churned)) {
            (Some(part), Some(whole)) => Proportion { part, whole },
            (None, _) | (_, None) => Proportion { part: 0, whole: 0 },
        }
    }
}

pub struct SummaryReport {
    pub currencies: Vec<CurrencySummary>,
    /// The days before.
    pub before: RevenueSpan,
    /// When one of the figures was last changed after its days were over. `None`: none was.
    pub restated_since: Option<Timestamp>,
    pub freshness: Freshness,
}

/// The figures of some days and of as many before them, in one currency or in each.
///
/// # Errors
/// If a read model does not reach the position in time, or the database does not answer.
pub async fn summary(
    source: ReportSource<'_>,
    span: RevenueSpan,
    currency: Option<&Currency>,
    min_position: Option<&JournalPositions>,
) -> Result<SummaryReport, QueryError> {
    let freshness = source.wait(revenue::MODEL, None, min_position).await?;
    let freshness = freshness.older(source.wait(deferred_revenue::MODEL, None, min_position).await?);
    let before = days_before(span);
    let mut moment = snapshot(source.pool).await?;
    let now = periods(&mut moment, span, currency).await?;
    let earlier = periods(&mut moment, before, currency).await?;
    let churn = churn_of_months(&mut moment, span.until, currency).await?;
    let restated = mrr::restated_balances(&mut *moment, before.from, span.until, currency).await?;
    let filter = RevenueFilter { currency: currency.map(Currency::as_str), source: None };
    let restated_deferred = deferred::restated_since(&mut moment, (before.from, span.until), filter).await?;
    moment.rollback().await?;
    let names: BTreeSet<&String> = now.keys().chain(earlier.keys()).collect();
    let of = |name: &String| CurrencySummary {
        currency: name.clone(),
        now: now.get(name).cloned().unwrap_or_else(|| nothing(name, span)),
        before: earlier.get(name).cloned().unwrap_or_else(|| nothing(name, before)),
        churn_of_months: churn.get(name).copied().unwrap_or(Proportion { part: 0, whole: 0 }),
    };
    Ok(SummaryReport {
        currencies: names.into_iter().map(of).collect(),
        before,
        restated_since: restated.max(restated_deferred),
        freshness,
    })
}

/// As many days as there are in `span`, right before it.
fn days_before(span: RevenueSpan) -> RevenueSpan {
    let days = span.until.signed_duration_since(span.from);
    RevenueSpan { from: span.from.checked_sub_signed(days).unwrap_or(span.from), until: span.from }
}

/// A currency in which nothing was paid.
fn nothing(currency: &str, span: RevenueSpan) -> PeriodSummary {
    let end = span.until.pred_opt().unwrap_or(span.until);
    let figures = Figures { end, ..Figures::beginning(currency, span.from) };
    let retention = mrr::retention(std::slice::from_ref(&figures), &[]).pop().unwrap_or_default();
    PeriodSummary { figures, retention, deferred: 0 }
}

/// What all of the days come to, by currency.
async fn periods(
    moment: &mut PgConnection,
    span: RevenueSpan,
    currency: Option<&Currency>,
) -> Result<BTreeMap<String, PeriodSummary>, sqlx::Error> {
    let RevenueSpan { from, until } = span;
    let before = mrr::changes_before(&mut *moment, from, currency).await?;
    let changes = mrr::day_changes(&mut *moment, from, until, currency).await?;
    let moves = mrr::interval_moves(&mut *moment, &[(from, until)], currency).await?;
    let figures = revenue::whole(&mrr::series(&before, &changes, (from, until), FigureInterval::Year));
    let retention = mrr::retention(&figures, &moves);
    let mut periods: BTreeMap<String, PeriodSummary> = figures
        .into_iter()
        .zip(retention)
        .map(|(figures, retention)| {
            (figures.currency.clone(), PeriodSummary { figures, retention, deferred: 0 })
        })
        .collect();
    let filter = RevenueFilter { currency: currency.map(Currency::as_str), source: None };
    for stock in deferred::stock_before(moment, until, filter).await? {
        let own = periods.entry(stock.currency.clone()).or_insert_with(|| nothing(&stock.currency, span));
        own.deferred = stock.minor;
    }
    Ok(periods)
}

/// How many accounts churned in the last whole months before a day, of those that paid at the start of each.
async fn churn_of_months(
    moment: &mut PgConnection,
    until: NaiveDate,
    currency: Option<&Currency>,
) -> Result<BTreeMap<String, Proportion>, sqlx::Error> {
    let until = FigureInterval::Month.first_day(until);
    let from = until.checked_sub_months(Months::new(CLV_MONTHS)).unwrap_or(until);
    let before = mrr::changes_before(&mut *moment, from, currency).await?;
    let changes = mrr::day_changes(&mut *moment, from, until, currency).await?;
    let months = FigureInterval::Month.of_days(from, until);
    let moves = mrr::interval_moves(moment, &months, currency).await?;
    let series = mrr::series(&before, &changes, (from, until), FigureInterval::Month);
    let mut churn: BTreeMap<String, Proportion> = BTreeMap::new();
    for month in mrr::retention(&series, &moves) {
        let sum = churn.entry(month.currency).or_insert(Proportion { part: 0, whole: 0 });
        sum.part = sum.part.saturating_add(month.accounts_churned);
        sum.whole = sum.whole.saturating_add(month.accounts_at_start);
    }
    Ok(churn)
}
