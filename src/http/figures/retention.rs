//! How much of what accounts paid at the start of an interval is there at its end?

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
            interval::IntervalQuery,
            page::PageSize,
            time::{day, days},
        },
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Id, Place, Time},
    },
    projections::mrr::{RetainedRow, RevenueRetention},
    queries::revenue::{
        RevenueSpan,
        churn::AccountPartsPage,
        cohorts::{RetentionReport, retained_accounts, retention as of_intervals},
    },
};

use super::{
    churn_rows::{parse_cursor, write_cursor},
    definition::{FigureDefinition, FigureKind},
    revenue::SHARE_DECIMALS,
};

const ROWS: &str = "/v1/analytics/retention/rows";

const DEFINITIONS: [FigureDefinition; 4] = [
    FigureDefinition {
        figure: "mrr_at_start, accounts_at_start",
        kind: FigureKind::Balance,
        definition: "The MRR at the start of the interval, and the accounts that pay it.",
        formula: "as `mrr_at_start` of /v1/analytics/mrr",
    },
    FigureDefinition {
        figure: "kept_and_grown, net_revenue_retention",
        kind: FigureKind::Activity,
        definition: "The MRR at the end of the accounts that paid at the start, and its share of theirs at the start.",
        formula: "kept_and_grown = Σ at the end; ÷ mrr_at_start",
    },
    FigureDefinition {
        figure: "kept, gross_revenue_retention",
        kind: FigureKind::Activity,
        definition: "The same, where no account counts more than at the start.",
        formula: "kept = Σ min(at the end, at the start); ÷ mrr_at_start",
    },
    FigureDefinition {
        figure: "accounts_kept, logo_retention",
        kind: FigureKind::Activity,
        definition: "The accounts that paid at the start and pay at the end, whatever was in between.",
        formula: "accounts_kept ÷ accounts_at_start",
    },
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RetentionQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 4],
    series: Vec<IntervalRetention<'a>>,
    /// When an event was last recorded that changed one of the days, or an earlier one, after these days had begun and
    /// that one was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// One interval, in one currency. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntervalRetention<'a> {
    currency: &'a str,
    /// The first day.
    #[schema(value_type = Day)]
    start: NaiveDate,
    mrr_at_start: i64,
    accounts_at_start: i64,
    kept_and_grown: i64,
    /// `null` if nobody paid at the start.
    net_revenue_retention: Option<String>,
    kept: i64,
    gross_revenue_retention: Option<String>,
    accounts_kept: i64,
    logo_retention: Option<String>,
    /// Where the accounts are that paid at the start, with what they pay at the end.
    rows: String,
}

impl<'a> From<&'a RevenueRetention> for IntervalRetention<'a> {
    fn from(of: &'a RevenueRetention) -> Self {
        let (start, end) = of.days;
        Self {
            currency: &of.currency,
            start,
            mrr_at_start: of.mrr_at_start,
            accounts_at_start: of.accounts_at_start,
            kept_and_grown: of.kept_and_grown,
            net_revenue_retention: of.net_revenue().decimal(SHARE_DECIMALS),
            kept: of.kept,
            gross_revenue_retention: of.gross_revenue().decimal(SHARE_DECIMALS),
            accounts_kept: of.accounts_kept,
            logo_retention: of.logos().decimal(SHARE_DECIMALS),
            rows: format!("{ROWS}?from={start}&to={end}&currency={}", of.currency),
        }
    }
}

/// See how much revenue stayed
///
/// Of the accounts that paid at the start of each interval: what they pay at its end.
#[utoipa::path(
    get, path = "/v1/analytics/retention", operation_id = "analyse_retention", tag = "Reports",
    params(RetentionQuery),
    responses(
        (status = 200, description = "Figures for each interval and currency.", body = RetentionResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn retention(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<RetentionQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let shown = (asked.interval.into(), asked.currency.as_ref());
    let report = of_intervals(state.reports(), span, shown, min_position.as_ref()).await?;
    let RetentionReport { series, restated_since, freshness: standing } = report;
    let document = RetentionResponse {
        definitions: DEFINITIONS,
        series: series.iter().map(IntervalRetention::from).collect(),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RetentionRowsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionRowsResponse<'a> {
    rows: Vec<RetainedAccount<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// What an account that paid at the start pays at the end, in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetainedAccount<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    mrr_at_start: i64,
    mrr_at_end: i64,
    /// Of `mrr_at_end`, at most `mrr_at_start`.
    kept: i64,
    /// Where its movements of the days are.
    movements: String,
}

/// See which accounts stayed
///
/// Of those that paid at the start of the days: they sum to the figures whose `rows` names this address.
#[utoipa::path(
    get, path = "/v1/analytics/retention/rows", operation_id = "analyse_retention_rows", tag = "Reports",
    params(RetentionRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = RetentionRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<RetentionRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let cursor = asked.cursor.as_deref().map(parse_cursor).transpose()?;
    let part = (cursor.as_ref().map(|(account, of)| (account, *of)), asked.limit.get());
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let currency = asked.currency.as_ref();
    let page = retained_accounts(state.reports(), span, currency, part, min_position.as_ref()).await?;
    let AccountPartsPage { rows, next, freshness: standing } = page;
    let of_days = format!("/v1/analytics/movements?from={}&to={}", asked.from, asked.to);
    let row =
        |row: &'_ RetainedRow| format!("{of_days}&account={}&currency={}", row.account_id, row.currency);
    let shown = rows.iter().map(|of| RetainedAccount {
        account: &of.account_id,
        currency: &of.currency,
        mrr_at_start: of.mrr_at_start,
        mrr_at_end: of.mrr_at_end,
        kept: of.mrr_at_end.min(of.mrr_at_start),
        movements: row(of),
    });
    let document = RetentionRowsResponse {
        rows: shown.collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
