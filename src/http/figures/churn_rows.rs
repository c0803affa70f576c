//! Which accounts stopped paying, and which subscriptions may end soon?

use axum::{body::Body, extract::State, http::Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{amount::Currency, ids::AccountId, time::Timestamp},
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
    projections::mrr::{AccountPartCursor, AtRiskRow, ChurnedRow, RiskSelection, churn::ChurnClass},
    queries::revenue::{
        RevenueSpan,
        churn::{AccountPartsPage, churned_accounts, subscriptions_at_risk},
    },
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChurnRowsQuery {
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
    /// `voluntary`, `involuntary` or `other`: by the first time that an account stopped.
    churn: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnRowsResponse<'a> {
    rows: Vec<ChurnRowResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// An account that paid at the start and stopped.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChurnRowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    /// In minor units.
    mrr_at_start: i64,
    /// The first day on which it stopped.
    #[schema(value_type = Day)]
    churned_on: NaiveDate,
    /// Why it stopped then: `cancelled`, `unpaid`, `paused`, `moved` or `uncharged`.
    cause: &'a str,
    /// Where its movements of the days are.
    movements: String,
}

/// See which accounts stopped paying
///
/// Of those that paid at the start of the days: the rows of all pages are those of the figure whose `rows` names this
/// address.
#[utoipa::path(
    get, path = "/v1/analytics/churn/rows", operation_id = "analyse_churn_rows", tag = "Reports",
    params(ChurnRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = ChurnRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<ChurnRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let class = asked.churn.as_deref().map(parse_class).transpose()?;
    let cursor = asked.cursor.as_deref().map(parse_cursor).transpose()?;
    let part = (cursor.as_ref().map(|(account, of)| (account, *of)), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let (span, of) = (RevenueSpan { from, until }, (asked.currency.as_ref(), class));
    let page = churned_accounts(state.reports(), span, of, part, min_position.as_ref()).await?;
    let AccountPartsPage { rows, next, freshness: standing } = page;
    let row = |row: &'_ ChurnedRow| {
        format!(
            "/v1/analytics/movements?from={}&to={}&account={}&currency={}",
            asked.from, asked.to, row.account_id, row.currency
        )
    };
    let shown = rows.iter().map(|of| ChurnRowResponse {
        account: &of.account_id,
        currency: &of.currency,
        mrr_at_start: of.mrr_at_start,
        churned_on: of.churned_on,
        cause: &of.cause,
        movements: row(of),
    });
    let document = ChurnRowsResponse {
        rows: shown.collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

/// A class of churn in a query.
pub(super) fn parse_class(name: &str) -> Result<ChurnClass, Failure> {
    let expected = "voluntary, involuntary or other is expected";
    ChurnClass::parse(name).ok_or_else(|| Failure::query("churn", expected))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AtRiskQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
    /// Only those that are past due, or only those that are not.
    past_due: Option<bool>,
    /// Only those that are set to end, or only those that are not.
    set_to_end: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many subscriptions; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AtRiskResponse<'a> {
    rows: Vec<AtRiskSubscription<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A subscription that is past due, or set to end, and still counts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AtRiskSubscription<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    #[schema(value_type = Id)]
    subscription: &'a str,
    currency: &'a str,
    /// In minor units.
    mrr: i64,
    past_due: bool,
    /// When it will end; `null`: that is not set.
    #[schema(value_type = Option<Time>)]
    cancel_at: Option<Timestamp>,
    /// When the report took effect that says so.
    #[schema(value_type = Time)]
    since: Timestamp,
    /// Where the reports on the account's subscriptions are.
    history: String,
}

impl<'a> From<&'a AtRiskRow> for AtRiskSubscription<'a> {
    fn from(row: &'a AtRiskRow) -> Self {
        Self {
            account: &row.account_id,
            subscription: &row.subscription,
            currency: &row.currency,
            mrr: row.mrr,
            past_due: row.past_due,
            cancel_at: row.cancel_at.map(Timestamp::from),
            since: Timestamp::from(row.since),
            history: format!("/v1/accounts/{}/subscription/history", row.account_id),
        }
    }
}

/// See which revenue is at risk
///
/// The subscriptions that are past due, or set to end, and still count: they sum to the figure whose `rows` names this
/// address.
#[utoipa::path(
    get, path = "/v1/analytics/churn/at-risk", operation_id = "analyse_revenue_at_risk", tag = "Reports",
    params(AtRiskQuery),
    responses(
        (status = 200, description = "A page of subscriptions.", body = AtRiskResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn at_risk(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<AtRiskQuery>,
) -> Result<Response<Body>, Failure> {
    let cursor = asked.cursor.as_deref().map(parse_cursor).transpose()?;
    let part = (cursor.as_ref().map(|(account, of)| (account, *of)), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let AtRiskQuery { past_due, set_to_end, .. } = asked;
    let selection = RiskSelection { currency: asked.currency.as_ref(), past_due, set_to_end };
    let page = subscriptions_at_risk(state.reports(), selection, part, min_position.as_ref()).await?;
    let AccountPartsPage { rows, next, freshness: standing } = page;
    let document = AtRiskResponse {
        rows: rows.iter().map(AtRiskSubscription::from).collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

pub(super) fn write_cursor(cursor: &AccountPartCursor) -> String {
    format!("{}~{}", cursor.account_id, cursor.of)
}

pub(super) fn parse_cursor(text: &str) -> Result<(AccountId, &str), Failure> {
    let parts = text.split_once('~').and_then(|(account, of)| Some((AccountId::parse(account).ok()?, of)));
    parts.ok_or_else(|| Failure::query("cursor", "it is not a `next_cursor` of an earlier page"))
}
