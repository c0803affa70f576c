//! How much money was paid in advance and is not earned yet?

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response},
};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        amount::Currency,
        ids::AccountId,
        revenue::{RevenueKind, RevenueSource},
        time::Timestamp,
    },
    http::{
        AppState, csv,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        reads::{
            interval::IntervalQuery,
            page::PageSize,
            time::{day, days, optional_day},
        },
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Id, Place, Time},
    },
    projections::deferred::{DeferredCell, DeferredFlow, DeferredRow, RevenueFilter},
    queries::{
        deferred::{
            DEFERRED_COLUMNS, DeferredInterval, DeferredReport, DeferredRows, deferred_lines,
            deferred_revenue, deferred_rows,
        },
        revenue::RevenueSpan,
    },
};

use super::csv_file::file;
use super::definition::{FigureDefinition, FigureKind};

const ROWS: &str = "/v1/analytics/deferred-revenue/rows";

const DEFINITIONS: [FigureDefinition; 6] = [
    FigureDefinition {
        figure: "opening, closing",
        kind: FigureKind::Balance,
        definition: "Money that was paid in advance and is not earned yet, at the start and at the end of the \
                     interval.",
        formula: "closing = opening + sold − recognised − breakage − refunded",
    },
    FigureDefinition {
        figure: "sold",
        kind: FigureKind::Activity,
        definition: "What was paid for credits and subscriptions, without tax and after discounts.",
        formula: "the costs of grants that were paid for, and of the lines of paid invoices; what lines give back \
                  is taken off",
    },
    FigureDefinition {
        figure: "recognised",
        kind: FigureKind::Activity,
        definition: "What was earned: credits when they are spent, subscriptions evenly over their period.",
        formula: "of credits: cost × spent ÷ granted; of subscriptions: cost × time that has passed ÷ period",
    },
    FigureDefinition {
        figure: "breakage",
        kind: FigureKind::Activity,
        definition: "What was paid for credits that expired, or that an operator took without returning money.",
        formula: "cost × expired or taken ÷ granted",
    },
    FigureDefinition {
        figure: "refunded",
        kind: FigureKind::Activity,
        definition: "What was returned before it was earned: by refunds, lost disputes and credit notes.",
        formula: "of credits: cost × unused credits that were taken back ÷ granted; of subscriptions: what was \
                  returned × time that is left ÷ period",
    },
    FigureDefinition {
        figure: "contra",
        kind: FigureKind::Activity,
        definition: "What was returned after it had been earned: it reduces revenue, and nothing that is deferred.",
        formula: "of credits: cost × used credits that were taken back ÷ granted; of subscriptions: what was \
                  returned × time that has passed ÷ period",
    },
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeferredQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day, in UTC. Of days that are to come, what subscriptions will earn is known.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
    /// Only this currency, such as `usd`.
    #[param(value_type = Option<String>)]
    currency: Option<Currency>,
    /// Only money for `credits`, or only for `subscriptions`.
    #[param(value_type = Option<String>)]
    source: Option<RevenueSource>,
}

/// What happened to money that was paid in advance, in minor units, by currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 6],
    series: Vec<DeferredFigures<'a>>,
    /// When an event was last recorded that changed one of the days after it was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// One interval, in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredFigures<'a> {
    currency: &'a str,
    /// The first day.
    #[schema(value_type = Day)]
    start: NaiveDate,
    opening: DeferredFigure,
    /// What adds to it or takes from it. What was nothing is left out.
    flows: Vec<DeferredFlowResponse>,
    closing: DeferredFigure,
    /// What was returned after it had been earned.
    contra: Vec<DeferredFlowResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredFigure {
    #[schema(value_type = i64)]
    amount: i128,
    /// Where the accounts are that make it up.
    rows: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredFlowResponse {
    /// `credits` or `subscriptions`
    source: &'static str,
    /// `sold`, `recognised`, `breakage`, `refunded` or `contra`
    r#type: &'static str,
    #[schema(value_type = i64)]
    amount: i128,
    /// Where the accounts are that make it up.
    rows: String,
}

impl<'a> DeferredFigures<'a> {
    fn of(interval: &'a DeferredInterval, source: Option<RevenueSource>) -> Self {
        let (start, until) = interval.days;
        let before = |day: NaiveDate| day.checked_sub_days(Days::new(1)).unwrap_or(day);
        let currency = &interval.currency;
        let only = source.map(|source| format!("&source={}", source.name())).unwrap_or_default();
        let stock = |amount: i128, to: NaiveDate| DeferredFigure {
            amount,
            rows: format!("{ROWS}?to={to}&currency={currency}{only}"),
        };
        let flow = |flow: &DeferredFlow| {
            let (source, kind) = (flow.source.name(), flow.kind.name());
            let days = format!("from={start}&to={}", before(until));
            DeferredFlowResponse {
                source,
                r#type: kind,
                amount: flow.minor,
                rows: format!("{ROWS}?{days}&currency={currency}&source={source}&type={kind}"),
            }
        };
        Self {
            currency,
            start,
            opening: stock(interval.opening, before(start)),
            flows: interval.flows.iter().map(flow).collect(),
            closing: stock(interval.closing, before(until)),
            contra: interval.contra.iter().map(flow).collect(),
        }
    }
}

/// See deferred revenue
///
/// What was paid in advance and is not earned yet: `closing` is `opening` with all flows, and the next interval begins
/// with it. With `Accept: text/csv`, one line for each flow.
#[utoipa::path(
    get, path = "/v1/analytics/deferred-revenue", operation_id = "analyse_deferred_revenue", tag = "Reports",
    params(DeferredQuery),
    responses(
        (
            status = 200, description = "Stock and flows for each interval and currency.",
            content((DeferredResponse = "application/json"), (String = "text/csv"))
        ),
        Problems<ReadingModel>,
    )
)]
pub async fn deferred(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<DeferredQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let span = RevenueSpan { from, until };
    let filter =
        RevenueFilter { currency: asked.currency.as_ref().map(Currency::as_str), source: asked.source };
    let min_position = asked.min_position.map(Token::positions);
    let report =
        deferred_revenue(state.reports(), span, asked.interval.into(), filter, min_position.as_ref()).await?;
    let DeferredReport { intervals, restated_since, freshness: standing } = report;
    if csv::is_asked_for(&headers) {
        return file(&DEFERRED_COLUMNS, &deferred_lines(&intervals), standing);
    }
    let document = DeferredResponse {
        definitions: DEFINITIONS,
        series: intervals.iter().map(|of| DeferredFigures::of(of, asked.source)).collect(),
        restated_since,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeferredRowsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in UTC; from the beginning if left out.
    #[param(value_type = Option<Day>)]
    #[serde(default, deserialize_with = "optional_day")]
    from: Option<NaiveDate>,
    /// The last day, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    /// The currency, such as `usd`.
    #[param(value_type = String)]
    currency: Currency,
    /// Only money for `credits`, or only for `subscriptions`.
    #[param(value_type = Option<String>)]
    source: Option<RevenueSource>,
    /// Only `sold`, `recognised`, `breakage`, `refunded` or `contra`. What it adds to deferred revenue if left out.
    #[param(value_type = Option<String>)]
    r#type: Option<RevenueKind>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<Id>)]
    cursor: Option<AccountId>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredRowsResponse<'a> {
    currency: &'a str,
    rows: Vec<DeferredRowResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// What one account adds to a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeferredRowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    /// In minor units.
    #[schema(value_type = i64)]
    amount: i128,
    /// Where the credits are that it paid for.
    lots: String,
    /// Where the times are for which it paid.
    periods: String,
}

impl<'a> From<&'a DeferredRow> for DeferredRowResponse<'a> {
    fn from(row: &'a DeferredRow) -> Self {
        let lots = format!("/v1/accounts/{}/lots", row.account_id);
        let periods = format!("/v1/accounts/{}/paid-periods", row.account_id);
        Self { account: &row.account_id, amount: row.minor, lots, periods }
    }
}

/// See which accounts make up a figure of deferred revenue
///
/// By account: the answers of all pages sum to the figure whose `rows` names this address.
/// Accounts that add nothing are left out, so a page can have fewer than `limit` and not be the last one.
#[utoipa::path(
    get, path = "/v1/analytics/deferred-revenue/rows", operation_id = "analyse_deferred_revenue_rows",
    tag = "Reports", params(DeferredRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = DeferredRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<DeferredRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let (_, until) = days(asked.from.unwrap_or(asked.to), asked.to)?;
    let cell = DeferredCell {
        from: asked.from,
        until,
        currency: asked.currency.as_str(),
        source: asked.source,
        kind: asked.r#type,
    };
    let part = (asked.cursor.as_ref(), asked.limit.rows());
    let min_position = asked.min_position.map(Token::positions);
    let page = deferred_rows(state.reports(), cell, part, min_position.as_ref()).await?;
    let DeferredRows { rows, next, freshness: standing } = page;
    let document = DeferredRowsResponse {
        currency: asked.currency.as_str(),
        rows: rows.iter().map(DeferredRowResponse::from).collect(),
        next_cursor: next,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
