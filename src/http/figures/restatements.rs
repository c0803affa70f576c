//! Which days of revenue were changed after they were over, and by which event?

use axum::{body::Body, extract::State, http::Response};
use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::time::Timestamp,
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
    projections::mrr::{RestatementCursor, RestatementRow},
    queries::revenue::{RestatementPage, RevenueSpan, revenue_restatements},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RestatementsQuery {
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
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many restatements; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RestatementsResponse<'a> {
    restatements: Vec<RestatementResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A day of one account's MRR that was over when an event changed it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestatementResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    currency: &'a str,
    /// The day that was changed, in UTC.
    #[schema(value_type = Day)]
    day: NaiveDate,
    /// When the event was recorded.
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    #[schema(value_type = Place)]
    position: Token,
    stripe_event: Option<&'a str>,
    /// The movement of that day before; `null`: there was none.
    before: Option<RestatedMovement<'a>>,
    /// The movement of that day since then; `null`: there is none.
    after: Option<RestatedMovement<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RestatedMovement<'a> {
    r#type: &'a str,
    /// Signed, in minor units.
    amount: i64,
}

impl<'a> From<&'a RestatementRow> for RestatementResponse<'a> {
    fn from(row: &'a RestatementRow) -> Self {
        let movement = |kind: &'a Option<String>, amount: i64| {
            kind.as_deref().map(|kind| RestatedMovement { r#type: kind, amount })
        };
        Self {
            account: &row.account_id,
            currency: &row.currency,
            day: row.day,
            recorded_at: Timestamp::from(row.recorded_at),
            position: Token::of(row.at()),
            stripe_event: row.stripe_event.as_deref(),
            before: movement(&row.kind_before, row.change_before),
            after: movement(&row.kind_after, row.change_after),
        }
    }
}

/// See which days of revenue were restated
///
/// A webhook that comes late changes the day on which its event took effect.
/// Here are the days that were over by then, with the event that changed each.
#[utoipa::path(
    get, path = "/v1/analytics/restatements", operation_id = "analyse_restatements", tag = "Reports",
    params(RestatementsQuery),
    responses(
        (status = 200, description = "A page of restatements, by day.", body = RestatementsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn restatements(
    State(state): State<AppState>,
    _from: All<Bills>,
    Query(asked): Query<RestatementsQuery>,
) -> Result<Response<Body>, Failure> {
    let (from, until) = days(asked.from, asked.to)?;
    let cursor =
        asked.cursor.as_deref().map(|text| parse(text).ok_or_else(Failure::unknown_cursor)).transpose()?;
    let part = (cursor.as_ref(), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let span = RevenueSpan { from, until };
    let page = revenue_restatements(state.reports(), span, part, min_position.as_ref()).await?;
    let RestatementPage { restatements, next, freshness: standing } = page;
    let document = RestatementsResponse {
        restatements: restatements.iter().map(RestatementResponse::from).collect(),
        next_cursor: next.as_ref().map(write),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

fn write(cursor: &RestatementCursor) -> String {
    let RestatementCursor { day, recorded_at, at, account_id, currency } = cursor;
    format!("{day}~{}~{}~{currency}~{account_id}", recorded_at.timestamp_micros(), Token::of(*at))
}

fn parse(text: &str) -> Option<RestatementCursor> {
    let mut parts = text.splitn(5, '~');
    let day = parts.next()?.parse().ok()?;
    let recorded_at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let at = parts.next()?.parse::<Token>().ok()?.positions().iter().next()?;
    let currency = parts.next()?.to_owned();
    Some(RestatementCursor { day, recorded_at, at, account_id: parts.next()?.to_owned(), currency })
}
