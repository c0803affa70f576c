//! What is the business's recurring revenue, and why did it change?

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
        problems::ReadingModel,
        request::{All, Bills, Query},
        schema::{Day, Id, Place},
    },
    projections::{
        FigureInterval,
        mrr::{Figures, MovementCursor, MovementRow, MovementSum, RevenueRetention, movements::MovementKind},
    },
    queries::revenue::{
        MovementFilter, MovementPage, RevenueReport, RevenueSpan, revenue, revenue_movements,
    },
};

use super::{
    as_of,
    page::PageSize,
    time::{day, days},
};

/// Decimals of ratios, such as churn.
const SHARE_DECIMALS: u32 = 4;
/// Decimals of the revenue per account, in minor units.
const ARPU_DECIMALS: u32 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalQuery {
    #[default]
    Day,
    /// From Monday.
    Week,
    Month,
    /// From January, April, July or October.
    Quarter,
    Year,
}

impl From<IntervalQuery> for FigureInterval {
    fn from(interval: IntervalQuery) -> Self {
        match interval {
            IntervalQuery::Day => Self::Day,
            IntervalQuery::Week => Self::Week,
            IntervalQuery::Month => Self::Month,
            IntervalQuery::Quarter => Self::Quarter,
            IntervalQuery::Year => Self::Year,
        }
    }
}

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
}

/// Monthly recurring revenue, in minor units, by currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrResponse<'a> {
    series: Vec<MrrFigures<'a>>,
    /// Over all of the days.
    retention: Vec<RetentionFigures<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// One day, week or month, in one currency.
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
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MrrChange {
    /// Signed.
    amount: i64,
    count: i64,
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
}

impl From<MovementSum> for MrrChange {
    fn from(change: MovementSum) -> Self {
        Self { amount: change.amount, count: change.count }
    }
}

impl<'a> From<&'a Figures> for MrrFigures<'a> {
    fn from(figures: &'a Figures) -> Self {
        Self {
            currency: &figures.currency,
            start: figures.start,
            mrr_at_start: figures.mrr_at_start,
            new: figures.new.into(),
            reactivation: figures.reactivation.into(),
            expansion: figures.expansion.into(),
            contraction: figures.contraction.into(),
            churn: figures.churn.into(),
            mrr: figures.mrr,
            arr: figures.arr(),
            paying_accounts: figures.paying_accounts,
            arpu: figures.arpu().decimal(ARPU_DECIMALS),
            quick_ratio: figures.quick_ratio().decimal(SHARE_DECIMALS),
            gross_revenue_churn: figures.gross_revenue_churn().decimal(SHARE_DECIMALS),
        }
    }
}

impl<'a> From<&'a RevenueRetention> for RetentionFigures<'a> {
    fn from(retention: &'a RevenueRetention) -> Self {
        Self {
            currency: &retention.currency,
            mrr_at_start: retention.mrr_at_start,
            mrr_at_end: retention.mrr_at_end,
            accounts_at_start: retention.accounts_at_start,
            accounts_at_end: retention.accounts_at_end,
            accounts_churned: retention.accounts_churned,
            net_revenue_retention: retention.net_revenue().decimal(SHARE_DECIMALS),
            gross_revenue_retention: retention.gross_revenue().decimal(SHARE_DECIMALS),
            logo_churn: retention.logo_churn().decimal(SHARE_DECIMALS),
        }
    }
}

/// See monthly recurring revenue
///
/// With the movements that changed it: between any two days, they sum to the difference of MRR.
#[utoipa::path(
    get, path = "/v1/analytics/mrr", operation_id = "analyse_mrr", tag = "Reports", params(MrrQuery),
    responses(
        (status = 200, description = "A figure for each interval and currency.", body = MrrResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn mrr(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<MrrQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let (span, min_position) = (RevenueSpan { from, until }, asked.min_position.map(Token::positions));
    let report = revenue(state.reports(), span, asked.interval.into(), min_position.as_ref()).await?;
    let RevenueReport { series, retention, freshness: standing } = report;
    let document = MrrResponse {
        series: series.iter().map(MrrFigures::from).collect(),
        retention: retention.iter().map(RetentionFigures::from).collect(),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MovementsQuery {
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
    #[param(value_type = Option<Id>)]
    account: Option<AccountId>,
    /// `new`, `reactivation`, `expansion`, `contraction` or `churn`
    r#type: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many movements; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MovementsResponse<'a> {
    movements: Vec<MovementResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A change of one account's MRR, with its cause.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovementResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    #[schema(value_type = Day)]
    day: NaiveDate,
    r#type: &'a str,
    before: i64,
    after: i64,
    subscription: &'a str,
    /// The number of the event in the account's stream.
    sequence: i64,
    stripe_event: Option<&'a str>,
}

impl<'a> From<&'a MovementRow> for MovementResponse<'a> {
    fn from(row: &'a MovementRow) -> Self {
        Self {
            account: &row.account_id,
            currency: &row.currency,
            day: row.day,
            r#type: &row.kind,
            before: row.before,
            after: row.after,
            subscription: &row.subscription,
            sequence: row.sequence,
            stripe_event: row.stripe_event.as_deref(),
        }
    }
}

/// See why revenue changed
#[utoipa::path(
    get, path = "/v1/analytics/movements", operation_id = "analyse_movements", tag = "Reports",
    params(MovementsQuery),
    responses(
        (status = 200, description = "A page of movements, by day.", body = MovementsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn movements(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<MovementsQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let kind = asked.r#type.as_deref().map(|name| {
        let kinds = "new, reactivation, expansion, contraction or churn is expected";
        MovementKind::parse(name).ok_or_else(|| Failure::query("type", kinds))
    });
    let kind = kind.transpose()?;
    let cursor = asked.cursor.as_deref().map(|text| parse_cursor(text).ok_or_else(unknown_cursor));
    let cursor = cursor.transpose()?;
    let span = RevenueSpan { from, until };
    let filter = MovementFilter { span, account: asked.account.as_ref(), kind };
    let part = (cursor.as_ref(), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let page = revenue_movements(state.reports(), filter, part, min_position.as_ref()).await?;
    let MovementPage { movements, next, freshness: standing } = page;
    let document = MovementsResponse {
        movements: movements.iter().map(MovementResponse::from).collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

fn write_cursor(cursor: &MovementCursor) -> String {
    format!("{}~{}~{}", cursor.day, cursor.currency, cursor.account_id)
}

fn parse_cursor(text: &str) -> Option<MovementCursor> {
    let (day, rest) = text.split_once('~')?;
    let (currency, account_id) = rest.split_once('~')?;
    Some(MovementCursor {
        day: day.parse().ok()?,
        currency: currency.to_owned(),
        account_id: account_id.to_owned(),
    })
}

fn unknown_cursor() -> Failure {
    Failure::query("cursor", "it is not a `next_cursor` of an earlier page")
}
