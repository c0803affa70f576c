//! How do credits come and go, and how many are there?

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response},
};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        ids::{AccountId, GenerationType},
        statement::LineKind,
        time::{Timestamp, start_of_day},
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
    projections::credits::{CreditCell, CreditFlow, CreditRow, CreditStock},
    queries::credits::{
        CREDIT_COLUMNS, CreditInterval, CreditReport, CreditRows, CreditSpan, credit_flows, credit_lines,
        credit_rows,
    },
};

use super::{
    csv_file::file,
    definition::{FigureDefinition, FigureKind},
    zone::ZoneQuery,
};

const ROWS: &str = "/v1/analytics/credits/rows";

const DEFINITIONS: [FigureDefinition; 2] = [
    FigureDefinition {
        figure: "opening, closing",
        kind: FigureKind::Balance,
        definition: "The credits of all accounts at the start and at the end of the interval.",
        formula: "closing = opening + the sum of all flows",
    },
    FigureDefinition {
        figure: "flows",
        kind: FigureKind::Activity,
        definition: "What the events that took effect in the interval added or took, in the words of a statement.",
        formula: "the sum of the lines of this type in the statements of all accounts",
    },
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CreditsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
    /// The time zone of the days; the catalog's if left out.
    #[param(value_type = Option<String>, example = "Europe/Berlin")]
    #[serde(default)]
    time_zone: ZoneQuery,
}

/// How the credits of all accounts came and went.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditsResponse<'a> {
    /// What the figures mean.
    definitions: [FigureDefinition; 2],
    /// The time zone of the days, such as `Europe/Berlin`.
    time_zone: &'static str,
    intervals: Vec<CreditIntervalResponse<'a>>,
    /// When an event was last recorded that changed one of the days, in UTC, after it was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CreditIntervalResponse<'a> {
    /// The first day.
    #[schema(value_type = Day)]
    start: NaiveDate,
    opening: CreditStockResponse,
    /// What came and went. Types of which there was nothing are left out.
    flows: Vec<CreditFlowResponse<'a>>,
    closing: CreditStockResponse,
}

/// The credits of all accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditStockResponse {
    /// Available and frozen.
    #[schema(value_type = i64)]
    available: i128,
    #[schema(value_type = i64)]
    held: i128,
    #[schema(value_type = i64)]
    debt: i128,
    /// Where the accounts are that make it up.
    rows: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CreditFlowResponse<'a> {
    /// As in a statement, such as `usage`, `allocation`, `top_up`, `expiry`.
    r#type: &'a str,
    /// `null`: of no type of generation.
    #[schema(value_type = Option<Id>)]
    generation_type: Option<&'a str>,
    /// How many times.
    count: i64,
    /// What it added to available and frozen credits; negative if it took.
    #[schema(value_type = i64)]
    available: i128,
    #[schema(value_type = i64)]
    held: i128,
    #[schema(value_type = i64)]
    debt: i128,
    /// Where the accounts are that make it up.
    rows: String,
}

impl<'a> CreditIntervalResponse<'a> {
    /// Uses are in another read model, so rows are asked for that are as new as the figures.
    fn of(interval: &'a CreditInterval, zone: Tz, as_of: &Token) -> Self {
        let (start, until) = interval.days;
        let zone = in_query(zone);
        let before = |day: NaiveDate| day.checked_sub_days(Days::new(1)).unwrap_or(day);
        let stock = |stock: CreditStock, last: NaiveDate| CreditStockResponse {
            available: stock.available,
            held: stock.held,
            debt: stock.debt,
            rows: format!("{ROWS}?to={last}&time_zone={zone}&min_position={as_of}"),
        };
        let flow = |flow: &'a CreditFlow| CreditFlowResponse {
            r#type: &flow.kind,
            generation_type: Some(flow.generation_type.as_str()).filter(|kind| !kind.is_empty()),
            count: flow.count,
            available: flow.change.available,
            held: flow.change.held,
            debt: flow.change.debt,
            rows: format!(
                "{ROWS}?from={start}&to={}&time_zone={zone}&min_position={as_of}&type={}&generation_type={}",
                before(until),
                flow.kind,
                flow.generation_type,
            ),
        };
        Self {
            start,
            opening: stock(interval.opening, before(start)),
            flows: interval.flows.iter().map(flow).collect(),
            closing: stock(interval.closing, before(until)),
        }
    }
}

/// The name as a parameter: some have a `+`.
fn in_query(zone: Tz) -> String {
    zone.name().replace('+', "%2B")
}

/// See how credits came and went
///
/// Of all accounts, by interval: `closing` is `opening` with all flows, and the next interval begins with it.
/// With `Accept: text/csv`, one line for each flow.
#[utoipa::path(
    get, path = "/v1/analytics/credits", operation_id = "analyse_credits", tag = "Reports",
    params(CreditsQuery),
    responses(
        (
            status = 200, description = "Stock and flows for each interval.",
            content((CreditsResponse = "application/json"), (String = "text/csv"))
        ),
        Problems<ReadingModel>,
    )
)]
pub async fn credits(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<CreditsQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let time_zone = asked.time_zone.or_of_catalog(&state);
    let span = CreditSpan { from, until, time_zone };
    let min_position = asked.min_position.map(Token::positions);
    let report = credit_flows(state.reports(), span, asked.interval.into(), min_position.as_ref()).await?;
    let CreditReport { intervals, restated_since, freshness: standing } = report;
    if csv::is_asked_for(&headers) {
        return file(&CREDIT_COLUMNS, &credit_lines(&intervals), standing);
    }
    let as_of_position = Token::of(standing.position.clone());
    let shown = |of| CreditIntervalResponse::of(of, time_zone, &as_of_position);
    let document = CreditsResponse {
        definitions: DEFINITIONS,
        time_zone: time_zone.name(),
        intervals: intervals.iter().map(shown).collect(),
        restated_since,
        as_of_position: as_of_position.clone(),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CreditRowsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day; from the beginning if left out, so that what is listed is what each account has.
    #[param(value_type = Option<Day>)]
    #[serde(default, deserialize_with = "optional_day")]
    from: Option<NaiveDate>,
    /// The last day.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    /// The time zone of the days; the catalog's if left out.
    #[param(value_type = Option<String>, example = "Europe/Berlin")]
    #[serde(default)]
    time_zone: ZoneQuery,
    /// Only this type of flow.
    #[param(value_type = Option<String>)]
    r#type: Option<LineKind>,
    /// Only credits of this type of generation. Empty: only those of none.
    #[param(value_type = Option<String>)]
    generation_type: Option<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<Id>)]
    cursor: Option<AccountId>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CreditRowsResponse<'a> {
    /// The time zone of the days, such as `Europe/Berlin`.
    time_zone: &'static str,
    rows: Vec<CreditRowResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// What one account adds to a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditRowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    count: i64,
    #[schema(value_type = i64)]
    available: i128,
    #[schema(value_type = i64)]
    held: i128,
    #[schema(value_type = i64)]
    debt: i128,
    /// Where its events are, line by line.
    statement: String,
}

impl<'a> CreditRowResponse<'a> {
    fn of(row: &'a CreditRow, filter: &str) -> Self {
        Self {
            account: &row.account_id,
            count: row.count,
            available: row.change.available,
            held: row.change.held,
            debt: row.change.debt,
            statement: format!("/v1/accounts/{}/statement?{filter}", row.account_id),
        }
    }
}

/// See which accounts make up a figure of credits
///
/// By account: the answers of all pages sum to the figure whose `rows` names this address.
#[utoipa::path(
    get, path = "/v1/analytics/credits/rows", operation_id = "analyse_credit_rows", tag = "Reports",
    params(CreditRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = CreditRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<CreditRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let (_, until) = days(asked.from.unwrap_or(asked.to), asked.to)?;
    let time_zone = asked.time_zone.or_of_catalog(&state);
    let named = asked.generation_type.as_deref().filter(|kind| !kind.is_empty()).map(GenerationType::parse);
    named.transpose().map_err(|invalid| Failure::query("generation_type", invalid.to_string()))?;
    let cell = CreditCell {
        from: asked.from.map(|from| start_of_day(from, time_zone)),
        until: start_of_day(until, time_zone),
        kind: asked.r#type,
        generation_type: asked.generation_type,
    };
    let part = (asked.cursor.as_ref(), asked.limit.rows());
    let min_position = asked.min_position.map(Token::positions);
    let page = credit_rows(state.reports(), &cell, part, min_position.as_ref()).await?;
    let CreditRows { rows, next, freshness: standing } = page;
    let filter = statement_filter(&cell);
    let document = CreditRowsResponse {
        time_zone: time_zone.name(),
        rows: rows.iter().map(|row| CreditRowResponse::of(row, &filter)).collect(),
        next_cursor: next,
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

/// The same figure in the statement of one account.
fn statement_filter(cell: &CreditCell) -> String {
    let from = cell.from.map(|from| format!("from={from}&")).unwrap_or_default();
    let kind = cell.kind.map(|kind| format!("&type={kind}")).unwrap_or_default();
    let of = cell.generation_type.as_deref().filter(|kind| !kind.is_empty());
    let of = of.map(|kind| format!("&generation_type={kind}")).unwrap_or_default();
    format!("{from}to={}{kind}{of}", cell.until)
}
