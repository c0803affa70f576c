//! Why did revenue change? The movements of accounts, each with its cause.

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
    projections::mrr::{MovementCursor, MovementRow, movements::MovementKind},
    queries::revenue::{MovementFilter, MovementPage, RevenueSpan, revenue_movements},
};

use super::{
    churn_rows::parse_class,
    definition::{FigureDefinition, FigureKind},
};

const DEFINITIONS: [FigureDefinition; 1] = [FigureDefinition {
    figure: "movements",
    kind: FigureKind::Activity,
    definition: "How the MRR of one account changed on one day, in UTC: all changes of the day are one movement.",
    formula: "after − before; between any two days, the movements sum to the difference of MRR",
}];

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
    /// Only in this currency.
    #[param(value_type = Option<String>, example = "usd")]
    currency: Option<Currency>,
    /// Only churn that is `voluntary`, `involuntary` or `other`
    churn: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many movements; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MovementsResponse<'a> {
    /// What they mean.
    definitions: [FigureDefinition; 1],
    movements: Vec<MovementResponse<'a>>,
    next_cursor: Option<String>,
    /// When an event was last recorded that changed one of the days after it was over; `null` if none did.
    #[schema(value_type = Option<Time>)]
    restated_since: Option<Timestamp>,
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
    /// Why it is churn: `cancelled`, `unpaid`, `paused`, `moved` or `uncharged`; `null`: it is not.
    cause: Option<&'a str>,
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
            cause: row.cause.as_deref(),
        }
    }
}

/// See why revenue changed
///
/// By day: the movements of one type and currency sum to the figure whose `rows` names this address.
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
    let cursor = asked.cursor.as_deref().map(|text| parse_cursor(text).ok_or_else(Failure::unknown_cursor));
    let cursor = cursor.transpose()?;
    let span = RevenueSpan { from, until };
    let churn = asked.churn.as_deref().map(parse_class).transpose()?;
    let (account, currency) = (asked.account.as_ref(), asked.currency.as_ref());
    let filter = MovementFilter { span, account, kind, currency, churn };
    let part = (cursor.as_ref(), asked.limit.get());
    let min_position = asked.min_position.map(Token::positions);
    let page = revenue_movements(state.reports(), filter, part, min_position.as_ref()).await?;
    let MovementPage { movements, next, restated_since, freshness: standing } = page;
    let document = MovementsResponse {
        definitions: DEFINITIONS,
        movements: movements.iter().map(MovementResponse::from).collect(),
        next_cursor: next.as_ref().map(write_cursor),
        restated_since,
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
