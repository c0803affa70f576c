//! What did an account pay in advance: for which credits, and for which times?

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        ids::{AccountId, GrantId},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, ReadingModel},
        reads::page::PageSize,
        request::{AccountOf, Query, Reads},
        response::as_of,
        schema::{Count, Id, Place, Time},
    },
    projections::deferred::{DeferredLot, EarningSpanRow},
    queries::deferred::{LotPage, PeriodPage, lots_of, periods_of},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LotsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<Id>)]
    cursor: Option<GrantId>,
    /// How many lots; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LotsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    /// By grant.
    lots: Vec<LotResponse<'a>>,
    next_cursor: Option<&'a str>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A lot of credits that was paid for. `amount = spent + expired + taken + refunded + left`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LotResponse<'a> {
    #[schema(value_type = Id)]
    grant_id: &'a str,
    /// Where the grant came from, such as `top_up`.
    source: &'a str,
    #[schema(value_type = Time)]
    sold_at: Timestamp,
    currency: &'a str,
    /// What was paid for all of it, in minor units.
    cost: i64,
    #[schema(value_type = Count)]
    amount: i64,
    #[schema(value_type = Count)]
    spent: i64,
    #[schema(value_type = Count)]
    expired: i64,
    /// Taken by an operator, without any money returned.
    #[schema(value_type = Count)]
    taken: i64,
    /// Taken back because their money was returned, and not used before.
    #[schema(value_type = Count)]
    refunded: i64,
    /// Held credits included.
    #[schema(value_type = Count)]
    left: i64,
    /// Of spent and expired credits, those whose money was returned all the same.
    #[schema(value_type = Count)]
    used_and_refunded: i64,
    /// The part of `cost` that is not earned yet.
    deferred: i64,
}

impl<'a> From<&'a DeferredLot> for LotResponse<'a> {
    fn from(of: &'a DeferredLot) -> Self {
        let lot = &of.lot;
        Self {
            grant_id: &of.grant_id,
            source: &of.source,
            sold_at: of.sold_at.into(),
            currency: lot.cost.currency.as_str(),
            cost: lot.cost.minor,
            amount: lot.amount,
            spent: lot.spent,
            expired: lot.expired,
            taken: lot.taken,
            refunded: lot.refunded,
            left: lot.left(),
            used_and_refunded: lot.used_and_refunded,
            deferred: lot.deferred(),
        }
    }
}

/// See which credits an account paid for
///
/// Each grant that has a cost, with what became of its credits, and what is not earned yet.
/// Credits of a subscription are not here: its money is earned with time, and `paid-periods` has it.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/lots", operation_id = "list_lots", tag = "Reports",
    params(("account" = Id, Path), LotsQuery),
    responses(
        (status = 200, description = "A page of lots.", body = LotsResponse),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn lots(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<LotsQuery>,
) -> Result<Response<Body>, Failure> {
    let part = (asked.cursor.as_ref(), asked.limit.rows());
    let min_position = asked.min_position.map(Token::positions);
    let LotPage { lots, is_last, freshness: standing } =
        lots_of(state.reports(), &of.account, part, min_position.as_ref()).await?;
    let document = LotsResponse {
        account: &of.account,
        lots: lots.iter().map(LotResponse::from).collect(),
        next_cursor: lots.last().filter(|_| !is_last).map(|lot| lot.grant_id.as_str()),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeriodsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// `next_cursor` of the page before.
    cursor: Option<u32>,
    /// How many periods; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    periods: Vec<PeriodResponse<'a>>,
    next_cursor: Option<i32>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// Money of a subscription that is earned evenly: `amount` over the period from `start` to `end`, of which the part
/// from `since` until before `until` is counted here.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodResponse<'a> {
    currency: &'a str,
    /// In minor units. Negative for a line that gives money back.
    amount: i64,
    #[schema(value_type = Time)]
    start: Timestamp,
    #[schema(value_type = Time)]
    end: Timestamp,
    /// When it was paid, or when what is left of it was changed by a refund. What had passed by the payment was earned
    /// at once.
    #[schema(value_type = Time)]
    since: Timestamp,
    #[schema(value_type = Time)]
    until: Timestamp,
}

impl<'a> From<&'a EarningSpanRow> for PeriodResponse<'a> {
    fn from(row: &'a EarningSpanRow) -> Self {
        Self {
            currency: &row.currency,
            amount: row.minor,
            start: row.period_start.into(),
            end: row.period_end.into(),
            since: row.since.into(),
            until: row.until.into(),
        }
    }
}

/// See for which times an account paid
///
/// The lines of paid invoices, less what was returned of them.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/paid-periods", operation_id = "list_paid_periods", tag = "Reports",
    params(("account" = Id, Path), PeriodsQuery),
    responses(
        (status = 200, description = "A page of periods.", body = PeriodsResponse),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn periods(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<PeriodsQuery>,
) -> Result<Response<Body>, Failure> {
    let after = asked.cursor.map(i32::try_from).transpose().map_err(|_| Failure::unknown_cursor())?;
    let part = (after, asked.limit.rows());
    let min_position = asked.min_position.map(Token::positions);
    let PeriodPage { periods, is_last, freshness: standing } =
        periods_of(state.reports(), &of.account, part, min_position.as_ref()).await?;
    let document = PeriodsResponse {
        account: &of.account,
        periods: periods.iter().map(PeriodResponse::from).collect(),
        next_cursor: periods.last().filter(|_| !is_last).map(|period| period.number),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
