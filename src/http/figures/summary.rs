//! How is the business doing, in one look?

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
        reads::time::{day, days},
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Place, Time},
    },
    projections::mrr::MovementSum,
    queries::{
        revenue::RevenueSpan,
        summary::{CurrencySummary, PeriodSummary, SummaryReport, summary as summarise},
    },
};

use super::{
    definition::{FigureDefinition, FigureKind},
    revenue::{ARPU_DECIMALS, SHARE_DECIMALS},
    revenue_definitions,
};

/// What `/v1/analytics/mrr` does not say.
const OWN_DEFINITIONS: [FigureDefinition; 2] = [
    FigureDefinition {
        figure: "clv",
        kind: FigureKind::Balance,
        definition: "What an account brings until it leaves, if accounts leave as in the last 6 whole months.",
        formula: "arpu ÷ (accounts that churned in these months ÷ accounts that paid at the start of each)",
    },
    FigureDefinition {
        figure: "deferred_revenue",
        kind: FigureKind::Balance,
        definition: "Money that was paid in advance and is not earned yet, at the end of the days.",
        formula: "closing of /v1/analytics/deferred-revenue",
    },
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SummaryQuery {
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
}

/// The figures of some days, each beside that of as many days before them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryResponse<'a> {
    /// What the figures mean.
    definitions: Vec<FigureDefinition>,
    days: SummaryDays,
    before: SummaryDays,
    currencies: Vec<SummaryFigures<'a>>,
    /// When an event was last recorded that changed one of the figures after its days were over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryDays {
    /// The first day.
    #[schema(value_type = Day)]
    from: NaiveDate,
    /// The last day.
    #[schema(value_type = Day)]
    to: NaiveDate,
}

/// The business in one currency. Amounts are in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryFigures<'a> {
    currency: &'a str,
    now: SummaryPeriod,
    before: SummaryPeriod,
    /// In minor units with decimals; `null` if no account pays, or none churned in six months.
    clv: Option<String>,
    /// Where each figure is, interval by interval, with its rows.
    details: SummaryDetails,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryPeriod {
    mrr_at_start: i64,
    mrr: i64,
    /// 12 × `mrr`; `null` if it is too large.
    arr: Option<i64>,
    new: SummaryMovement,
    reactivation: SummaryMovement,
    expansion: SummaryMovement,
    contraction: SummaryMovement,
    churn: SummaryMovement,
    paying_accounts: i64,
    /// `null` if no account pays.
    arpu: Option<String>,
    /// `null` if nothing was lost.
    quick_ratio: Option<String>,
    /// `null` if nothing was paid at the start, as are the others below.
    gross_revenue_churn: Option<String>,
    logo_churn: Option<String>,
    net_revenue_retention: Option<String>,
    gross_revenue_retention: Option<String>,
    #[schema(value_type = i64)]
    deferred_revenue: i128,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryMovement {
    /// Signed.
    amount: i64,
    count: i64,
}

/// Addresses for the same days and currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryDetails {
    mrr: String,
    movements: String,
    churn: String,
    deferred_revenue: String,
}

impl From<MovementSum> for SummaryMovement {
    fn from(sum: MovementSum) -> Self {
        Self { amount: sum.amount, count: sum.count }
    }
}

impl From<&PeriodSummary> for SummaryPeriod {
    fn from(PeriodSummary { figures, retention, deferred }: &PeriodSummary) -> Self {
        Self {
            mrr_at_start: figures.mrr_at_start,
            mrr: figures.mrr,
            arr: figures.arr(),
            new: figures.new.into(),
            reactivation: figures.reactivation.into(),
            expansion: figures.expansion.into(),
            contraction: figures.contraction.into(),
            churn: figures.churn.into(),
            paying_accounts: figures.paying_accounts,
            arpu: figures.arpu().decimal(ARPU_DECIMALS),
            quick_ratio: figures.quick_ratio().decimal(SHARE_DECIMALS),
            gross_revenue_churn: figures.gross_revenue_churn().decimal(SHARE_DECIMALS),
            logo_churn: retention.logo_churn().decimal(SHARE_DECIMALS),
            net_revenue_retention: retention.net_revenue().decimal(SHARE_DECIMALS),
            gross_revenue_retention: retention.gross_revenue().decimal(SHARE_DECIMALS),
            deferred_revenue: *deferred,
        }
    }
}

impl<'a> SummaryFigures<'a> {
    fn of(summary: &'a CurrencySummary, days: &SummaryDays) -> Self {
        let currency = &summary.currency;
        let address = |what: &str| {
            format!("/v1/analytics/{what}?from={}&to={}&currency={currency}", days.from, days.to)
        };
        Self {
            currency,
            now: SummaryPeriod::from(&summary.now),
            before: SummaryPeriod::from(&summary.before),
            clv: summary.clv().decimal(ARPU_DECIMALS),
            details: SummaryDetails {
                mrr: address("mrr"),
                movements: address("movements"),
                churn: address("churn"),
                deferred_revenue: address("deferred-revenue"),
            },
        }
    }
}

impl SummaryDays {
    fn of(span: RevenueSpan) -> Self {
        Self { from: span.from, to: span.until.pred_opt().unwrap_or(span.until) }
    }
}

/// See how the business is doing
///
/// One call for a front page: the figures of some days, each beside that of as many days before them.
#[utoipa::path(
    get, path = "/v1/analytics/summary", operation_id = "analyse_summary", tag = "Reports",
    params(SummaryQuery),
    responses(
        (status = 200, description = "The figures of each currency.", body = SummaryResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn summary(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<SummaryQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let min_position = asked.min_position.map(Token::positions);
    let span = RevenueSpan { from, until };
    let report = summarise(state.reports(), span, asked.currency.as_ref(), min_position.as_ref()).await?;
    let SummaryReport { currencies, before, restated_since, freshness: standing } = report;
    let shown = SummaryDays::of(span);
    let document = SummaryResponse {
        definitions: revenue_definitions::DEFINITIONS.into_iter().chain(OWN_DEFINITIONS).collect(),
        currencies: currencies.iter().map(|of| SummaryFigures::of(of, &shown)).collect(),
        days: shown,
        before: SummaryDays::of(before),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
