//! How much was used, of what, and when?

use axum::{body::Body, extract::State, http::Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::ids::AccountId,
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, ReadingModel},
        request::{AccountOf, All, Bills, Query, Reads},
        schema::{Day, Id, Place},
    },
    queries::usage::{UsageReport, UsageSpan, account_usage, overall_usage},
};

use super::{
    as_of,
    interval::IntervalQuery,
    time::{day, days},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in the catalog's time zone, as for limits.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
}

fn span(from: NaiveDate, to: NaiveDate, interval: IntervalQuery) -> Result<UsageSpan, Failure> {
    let (from, until) = days(from, to)?;
    Ok(UsageSpan { from, until, interval: interval.into() })
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccountUsageResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// The time zone of the days, such as `Europe/Berlin`.
    time_zone: &'static str,
    /// Days, weeks or months, as requested. Those without usage are left out.
    days: Vec<UsageDayResponse<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UsageDayResponse<'a> {
    /// The first day of the interval.
    /// If a week or month begins before `from`, only its days since then count.
    #[schema(value_type = Day)]
    day: NaiveDate,
    /// `null`: credits that were deducted as an amount, without a generation.
    #[schema(value_type = Option<Id>)]
    generation_type: Option<&'a str>,
    count: i64,
    credits: i64,
    refunds: i64,
    credits_refunded: i64,
}

/// See an account's usage
#[utoipa::path(
    get, path = "/v1/accounts/{account}/usage", operation_id = "get_usage", tag = "Reports",
    params(("account" = Id, Path), UsageQuery),
    responses(
        (status = 200, description = "Usage by interval and type.", body = AccountUsageResponse),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn of_account(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<UsageQuery>,
) -> Result<Response<Body>, Failure> {
    let span = span(asked.from, asked.to, asked.interval)?;
    let min_position = asked.min_position.map(Token::positions);
    let report = account_usage(state.reports(), &of.account, span, min_position.as_ref()).await?;
    let UsageReport { rows, time_zone, freshness: standing } = report;
    let days = rows.iter().map(|row| UsageDayResponse {
        day: row.day,
        generation_type: Some(row.generation_type.as_str()).filter(|kind| !kind.is_empty()),
        count: row.count,
        credits: row.credits,
        refunds: row.refunds,
        credits_refunded: row.credits_refunded,
    });
    let document = AccountUsageResponse {
        account: &of.account,
        time_zone: time_zone.name(),
        days: days.collect(),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AllUsageQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The first day, in the catalog's time zone.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    from: NaiveDate,
    /// The last day.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    to: NaiveDate,
    #[serde(default)]
    interval: IntervalQuery,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AllUsageResponse<'a> {
    /// The time zone of the days, such as `Europe/Berlin`.
    time_zone: &'static str,
    usage: Vec<UsageGroupResponse<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UsageGroupResponse<'a> {
    /// The first day of the interval.
    #[schema(value_type = Day)]
    start: NaiveDate,
    /// `null`: credits that were deducted as an amount, without a generation.
    #[schema(value_type = Option<Id>)]
    generation_type: Option<&'a str>,
    /// How many accounts used it.
    accounts: i64,
    count: i64,
    credits: i64,
    refunds: i64,
    credits_refunded: i64,
}

/// See usage over all accounts
#[utoipa::path(
    get, path = "/v1/analytics/usage", operation_id = "analyse_usage", tag = "Reports",
    params(AllUsageQuery),
    responses(
        (status = 200, description = "Usage by interval and type.", body = AllUsageResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn overall(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<AllUsageQuery>,
) -> Result<Response<Body>, Failure> {
    let span = span(asked.from, asked.to, asked.interval)?;
    let report =
        overall_usage(state.reports(), span, asked.min_position.map(Token::positions).as_ref()).await?;
    let UsageReport { rows, time_zone, freshness: standing } = report;
    let usage = rows.iter().map(|row| UsageGroupResponse {
        start: row.day,
        generation_type: Some(row.generation_type.as_str()).filter(|kind| !kind.is_empty()),
        accounts: row.accounts,
        count: row.count,
        credits: row.credits,
        refunds: row.refunds,
        credits_refunded: row.credits_refunded,
    });
    let document = AllUsageResponse {
        time_zone: time_zone.name(),
        usage: usage.collect(),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
