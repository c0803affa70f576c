//! Which accounts make up the MRR of a day?

use axum::{body::Body, extract::State, http::Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{amount::Currency, ids::AccountId},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        reads::{page::PageSize, time::day},
        request::{All, Bills, Query},
        response::as_of,
        schema::{Day, Id, Place},
    },
    projections::mrr::{PayingCursor, PayingRow},
    queries::revenue::{PayingPage, paying_accounts},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MrrRowsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// The day at whose end the accounts paid, in UTC.
    #[param(value_type = Day)]
    #[serde(deserialize_with = "day")]
    on: NaiveDate,
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
pub struct MrrRowsResponse<'a> {
    rows: Vec<MrrRowResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// What one account adds to the MRR of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct MrrRowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    /// In minor units.
    mrr: i64,
    /// The day since which it is so much.
    #[schema(value_type = Day)]
    since: NaiveDate,
    /// Where the movement is that led to it, with its cause.
    movements: String,
}

impl<'a> From<&'a PayingRow> for MrrRowResponse<'a> {
    fn from(row: &'a PayingRow) -> Self {
        let PayingRow { account_id, currency, mrr, since, .. } = row;
        Self {
            account: account_id,
            currency,
            mrr: *mrr,
            since: *since,
            movements: format!(
                "/v1/analytics/movements?from={since}&to={since}&account={account_id}&currency={currency}"
            ),
        }
    }
}

/// See which accounts make up the MRR of a day
///
/// By account: the answers of all pages sum to the figure whose `rows` names this address.
#[utoipa::path(
    get, path = "/v1/analytics/mrr/rows", operation_id = "analyse_mrr_rows", tag = "Reports",
    params(MrrRowsQuery),
    responses(
        (status = 200, description = "A page of accounts.", body = MrrRowsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn rows(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<MrrRowsQuery>,
) -> Result<Response<Body>, Failure> {
    let cursor = asked.cursor.as_deref().map(|text| parse_cursor(text).ok_or_else(Failure::unknown_cursor));
    let cursor = cursor.transpose()?;
    let part = (cursor.as_ref().map(|(account, currency)| (account, currency)), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let of = (asked.on, asked.currency.as_ref());
    let page = paying_accounts(state.reports(), of, part, min_position.as_ref()).await?;
    let PayingPage { rows, next, freshness: standing } = page;
    let document = MrrRowsResponse {
        rows: rows.iter().map(MrrRowResponse::from).collect(),
        next_cursor: next.as_ref().map(write_cursor),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

fn write_cursor(cursor: &PayingCursor) -> String {
    format!("{}~{}", cursor.currency, cursor.account_id)
}

fn parse_cursor(text: &str) -> Option<(AccountId, Currency)> {
    let (currency, account) = text.split_once('~')?;
    Some((AccountId::parse(account).ok()?, Currency::parse(currency).ok()?))
}
