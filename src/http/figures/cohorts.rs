//! How many of the accounts that first paid in a month are still there, and how much of their revenue?

use axum::{body::Body, extract::State, http::Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{amount::Currency, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        reads::{
            page::PageSize,
            time::{day, days},
        },
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Id, Place, Time},
    },
    projections::mrr::{CohortMonth, CohortRow, CohortSelection},
    queries::revenue::{
        RevenueSpan,
        churn::AccountPartsPage,
        cohorts::{CohortReport, RevenueCohort, cohort_accounts, cohorts as of_months},
    },
};

use super::{
    churn_rows::{parse_cursor, write_cursor},
    definition::{FigureDefinition, FigureKind},
    revenue::SHARE_DECIMALS,
};

const ROWS: &str = "/v1/analytics/cohorts/rows";

const DEFINITIONS: [FigureDefinition; 4] = [
    FigureDefinition {
        figure: "cohorts",
        kind: FigureKind::Activity,
        definition: "The accounts that first paid in a month, in one currency: by the day of their movement `new`.",
        formula: "accounts = the movements of type new of the month",
    },
    FigureDefinition {
        figure: "accounts, mrr, kept",
        kind: FigureKind::Balance,
        definition: "Those of them that pay at the end of a month, their MRR then, and the part of it that each \
            already paid at the end of its first month.",
        formula: "mrr = Σ then; kept = Σ min(then, at the end of the first month)",
    },
    FigureDefinition {
        figure: "logo_retention",
        kind: FigureKind::Balance,
        definition: "The share of the cohort's accounts that pay at the end of the month.",
        formula: "accounts of the month ÷ accounts of the cohort",
    },
    FigureDefinition {
        figure: "net_revenue_retention, gross_revenue_retention",
        kind: FigureKind::Balance,
        definition: "Their MRR at the end of the month as a share of that at the end of the first one.",
        formula: "net: mrr ÷ mrr_at_start; gross: kept ÷ mrr_at_start",
    },
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CohortsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// A day of the first month, in UTC. The cohorts are those of whole months.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day, in UTC. Months that are not over by then are left out.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CohortsResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 4],
    cohorts: Vec<CohortResponse<'a>>,
    /// When an event was last recorded that changed one of the days, or an earlier one, after these days had begun and
    /// that one was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// The accounts that first paid in one month, in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct CohortResponse<'a> {
    currency: &'a str,
    /// The first day of the month.
    #[schema(value_type = Day)]
    month: NaiveDate,
    accounts: i64,
    /// At the end of the month, in minor units.
    mrr_at_start: i64,
    /// At the end of this month, and of each later one.
    months: Vec<CohortFigures>,
}

/// What is left of a cohort.
#[derive(Debug, Serialize, ToSchema)]
pub struct CohortFigures {
    /// How many months later; 0 for the month itself.
    number: usize,
    /// The last day of the month.
    #[schema(value_type = Day)]
    end: NaiveDate,
    accounts: i64,
    logo_retention: Option<String>,
    mrr: i64,
    net_revenue_retention: Option<String>,
    kept: i64,
    gross_revenue_retention: Option<String>,
    /// Where the accounts of the cohort are, with what each pays.
    rows: String,
}

impl<'a> From<&'a RevenueCohort> for CohortResponse<'a> {
    fn from(cohort: &'a RevenueCohort) -> Self {
        let figures = |(number, of): (usize, &CohortMonth)| CohortFigures {
            number,
            end: of.last_day,
            accounts: of.accounts,
            logo_retention: of.logos().decimal(SHARE_DECIMALS),
            mrr: of.mrr,
            net_revenue_retention: of.net_revenue(cohort.mrr_at_start).decimal(SHARE_DECIMALS),
            kept: of.kept,
            gross_revenue_retention: of.gross_revenue(cohort.mrr_at_start).decimal(SHARE_DECIMALS),
            rows: format!("{ROWS}?month={}&on={}&currency={}", of.month, of.last_day, of.currency),
        };
        Self {
            currency: &cohort.currency,
            month: cohort.month,
            accounts: cohort.accounts,
            mrr_at_start: cohort.mrr_at_start,
            months: cohort.months.iter().enumerate().map(figures).collect(),
        }
    }
}

/// See what is left of the accounts of each month
///
/// By the month in which they first paid, at the end of it and of each later month.
#[utoipa::path(
    get, path = "/v1/analytics/cohorts", operation_id = "analyse_cohorts", tag = "Reports", params(CohortsQuery),
    responses(
        (status = 200, description = "Each month's accounts, month by month.", body = CohortsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn cohorts(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<CohortsQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let report = of_months(state.reports(), span, asked.currency.as_ref(), min_position.as_ref()).await?;
    let CohortReport { cohorts, restated_since, freshness: standing } = report;
    let document = CohortsResponse {
        definitions: DEFINITIONS,
        cohorts: cohorts.iter().map(CohortResponse::from).collect(),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CohortRowsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// A day of the month in which they first paid, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    month: NaiveDate,
    /// The day at whose end it is shown what they pay, in UTC: not before the month is over.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    on: NaiveDate,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
    /// Only those that pay then, or only those that do not.
    paying: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CohortRowsResponse<'a> {
    rows: Vec<CohortAccount<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// An account of a cohort. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct CohortAccount<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    #[schema(value_type = Day)]
    first_paid_on: NaiveDate,
    /// At the end of the month in which it first paid.
    mrr_at_start: i64,
    mrr: i64,
    /// Of `mrr`, at most `mrr_at_start`.
    kept: i64,
    /// Where its movements are.
    movements: String,
}

impl<'a> CohortAccount<'a> {
    fn of(row: &'a CohortRow, on: NaiveDate) -> Self {
        let CohortRow { account_id, currency, first_paid_on, mrr_at_start, mrr, .. } = row;
        Self {
            account: account_id,
            currency,
            first_paid_on: *first_paid_on,
            mrr_at_start: *mrr_at_start,
            mrr: *mrr,
            kept: *mrr.min(mrr_at_start),
            movements: format!(
                "/v1/analytics/movements?from={first_paid_on}&to={on}&account={account_id}&currency={currency}"
            ),
        }
    }
}

/// See which accounts make up a cohort
///
/// With what each pays at the end of a day: they sum to the figures whose `rows` names this address.
#[utoipa::path(
    get, path = "/v1/analytics/cohorts/rows", operation_id = "analyse_cohort_rows", tag = "Reports",
    params(CohortRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = CohortRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<CohortRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let cursor = asked.cursor.as_deref().map(parse_cursor).transpose()?;
    let part = (cursor.as_ref().map(|(account, of)| (account, *of)), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let CohortRowsQuery { month, on, paying, .. } = asked;
    let selection = CohortSelection { month, on, currency: asked.currency.as_ref(), paying };
    let page = cohort_accounts(state.reports(), selection, part, min_position.as_ref()).await?;
    let AccountPartsPage { rows, next, freshness: standing } = page;
    let document = CohortRowsResponse {
        rows: rows.iter().map(|row| CohortAccount::of(row, on)).collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
