//! What is the business's recurring revenue?

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response},
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{amount::Currency, time::Timestamp},
    http::{
        AppState, csv,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        reads::{
            interval::IntervalQuery,
            time::{day, days},
        },
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Place, Time},
    },
    projections::mrr::{Figures, MovementSum, RevenueRetention, movements::MovementKind},
    queries::revenue::{REVENUE_COLUMNS, RevenueReport, RevenueSpan, revenue, revenue_lines},
};

use super::{csv_file::file, definition::FigureDefinition, revenue_definitions::DEFINITIONS};

const MRR_ROWS: &str = "/v1/analytics/mrr/rows";
const MOVEMENTS: &str = "/v1/analytics/movements";

/// Decimals of ratios, such as churn.
pub(super) const SHARE_DECIMALS: u32 = 4;
/// Decimals of the revenue per account, in minor units.
pub(super) const ARPU_DECIMALS: u32 = 2;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MrrQuery {
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

/// Monthly recurring revenue, in minor units, by currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 12],
    series: Vec<MrrFigures<'a>>,
    /// Over all of the days.
    retention: Vec<RetentionFigures<'a>>,
    /// When an event was last recorded that changed one of the days, or an earlier one, after these days had begun and
    /// that one was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// One interval, in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrFigures<'a> {
    currency: &'a str,
    /// The first day.
    #[schema(value_type = Day)]
    start: NaiveDate,
    mrr_at_start: i64,
    new: MrrChange,
    reactivation: MrrChange,
    expansion: MrrChange,
    contraction: MrrChange,
    churn: MrrChange,
    /// At the end: `mrr_at_start` and all changes.
    mrr: i64,
    /// 12 × `mrr`; `null` if it is too large.
    arr: Option<i64>,
    paying_accounts: i64,
    /// `mrr` ÷ `paying_accounts`, in minor units with decimals; `null` if no account pays.
    arpu: Option<String>,
    /// Gained ÷ lost revenue; `null` if nothing was lost.
    quick_ratio: Option<String>,
    /// Lost revenue ÷ `mrr_at_start`; `null` if that was 0.
    gross_revenue_churn: Option<String>,
    rows: MrrRows,
}

/// The sum of the movements of one type.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrChange {
    /// Signed.
    amount: i64,
    count: i64,
    /// Where the movements are that sum to it.
    rows: String,
}

/// Where the accounts are that make up a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrRows {
    mrr_at_start: String,
    mrr: String,
    paying_accounts: String,
}

/// What became of the accounts that paid at the start.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionFigures<'a> {
    currency: &'a str,
    mrr_at_start: i64,
    mrr_at_end: i64,
    accounts_at_start: i64,
    accounts_at_end: i64,
    accounts_churned: i64,
    net_revenue_retention: Option<String>,
    gross_revenue_retention: Option<String>,
    logo_churn: Option<String>,
    rows: RetentionRows,
}

/// Where the accounts are that make up a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionRows {
    mrr_at_start: String,
    mrr_at_end: String,
}

/// The day before.
pub(super) fn before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}

pub(super) fn accounts_on(day: NaiveDate, currency: &str) -> String {
    format!("{MRR_ROWS}?on={day}&currency={currency}")
}

pub(super) fn movements_of(
    kind: MovementKind,
    (start, end): (NaiveDate, NaiveDate),
    currency: &str,
) -> String {
    format!("{MOVEMENTS}?from={start}&to={end}&type={}&currency={currency}", kind.name())
}

impl MrrChange {
    /// Of the days from one to another.
    pub(super) fn of(
        kind: MovementKind,
        sum: MovementSum,
        days: (NaiveDate, NaiveDate),
        currency: &str,
    ) -> Self {
        Self { amount: sum.amount, count: sum.count, rows: movements_of(kind, days, currency) }
    }
}

impl<'a> From<&'a Figures> for MrrFigures<'a> {
    fn from(figures: &'a Figures) -> Self {
        let Figures { currency, start, end, .. } = figures;
        let change = |kind, sum| MrrChange::of(kind, sum, (*start, *end), currency);
        Self {
            currency,
            start: *start,
            mrr_at_start: figures.mrr_at_start,
            new: change(MovementKind::New, figures.new),
            reactivation: change(MovementKind::Reactivation, figures.reactivation),
            expansion: change(MovementKind::Expansion, figures.expansion),
            contraction: change(MovementKind::Contraction, figures.contraction),
            churn: change(MovementKind::Churn, figures.churn),
            mrr: figures.mrr,
            arr: figures.arr(),
            paying_accounts: figures.paying_accounts,
            arpu: figures.arpu().decimal(ARPU_DECIMALS),
            quick_ratio: figures.quick_ratio().decimal(SHARE_DECIMALS),
            gross_revenue_churn: figures.gross_revenue_churn().decimal(SHARE_DECIMALS),
            rows: MrrRows {
                mrr_at_start: accounts_on(before(*start), currency),
                mrr: accounts_on(*end, currency),
                paying_accounts: accounts_on(*end, currency),
            },
        }
    }
}

impl<'a> From<&'a RevenueRetention> for RetentionFigures<'a> {
    fn from(retention: &'a RevenueRetention) -> Self {
        let RevenueRetention { currency, days: (start, end), .. } = retention;
        Self {
            currency,
            mrr_at_start: retention.mrr_at_start,
            mrr_at_end: retention.mrr_at_end,
            accounts_at_start: retention.accounts_at_start,
            accounts_at_end: retention.accounts_at_end,
            accounts_churned: retention.accounts_churned,
            net_revenue_retention: retention.net_revenue().decimal(SHARE_DECIMALS),
            gross_revenue_retention: retention.gross_revenue().decimal(SHARE_DECIMALS),
            logo_churn: retention.logo_churn().decimal(SHARE_DECIMALS),
            rows: RetentionRows {
                mrr_at_start: accounts_on(before(*start), currency),
                mrr_at_end: accounts_on(*end, currency),
            },
        }
    }
}

/// See monthly recurring revenue
///
/// With the movements that changed it: between any two days, they sum to the difference of MRR.
/// With `Accept: text/csv`, one line for each interval and currency.
#[utoipa::path(
    get, path = "/v1/analytics/mrr", operation_id = "analyse_mrr", tag = "Reports", params(MrrQuery),
    responses(
        (
            status = 200, description = "A figure for each interval and currency.",
            content((MrrResponse = "application/json"), (String = "text/csv"))
        ),
        Problems<ReadingModel>,
    )
)]
pub async fn mrr(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<MrrQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let shown = (asked.interval.into(), asked.currency.as_ref());
    let report = revenue(state.reports(), span, shown, min_position.as_ref()).await?;
    let RevenueReport { series, retention, restated_since, freshness: standing } = report;
    if csv::is_asked_for(&headers) {
        return file(&REVENUE_COLUMNS, &revenue_lines(&series), standing);
    }
    let document = MrrResponse {
        definitions: DEFINITIONS,
        series: series.iter().map(MrrFigures::from).collect(),
        retention: retention.iter().map(RetentionFigures::from).collect(),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
